"""Buttons of the search-space rows where scripts are off: add, remove, move. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from experiments.forms.sweep_fields import SpaceRow, SweepFields


def apply_row_action(fields: SweepFields, post: Mapping[str, str]) -> SweepFields | None:
    """Return the fields after the pressed button; None when it was none of these."""
    rows = list(fields.rows)
    if post.get("action") == "add_row":
        return replace(fields, rows=(*rows, SpaceRow()))
    for action, step in (("remove_row", 0), ("move_up", -1), ("move_down", 1)):
        if action in post:
            return replace(fields, rows=tuple(_changed(rows, post[action], step)))
    return None


def _changed(rows: list[SpaceRow], place: str, step: int) -> list[SpaceRow]:
    at = int(place) if place.isdecimal() else len(rows)
    if at >= len(rows):
        return rows
    row = rows.pop(at)
    if step:
        rows.insert(max(0, at + step), row)
    return rows
