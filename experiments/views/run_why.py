"""Why a run was chosen, as its page shows it: one sentence, a link, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from experiments.formats import DASH, format_param
from experiments.models import Run


@dataclass(frozen=True, slots=True)
class Why:
    """The sentence in three pieces, of which the middle one is a link, and rows of numbers."""

    before: str
    linked: str
    after: str
    url: str
    rows: list[tuple[str, str]]


def why_of(run: Run) -> Why | None:
    """Return why a run has its values; None when nobody said."""
    if not run.note:
        return None
    facts = run.facts or {}
    number = _compared(facts)
    words = f"run {number}"
    before, linked, after = run.note.partition(words) if number is not None else (run.note, "", "")
    if after[:1].isdigit():  # run 1 is not run 12
        before, linked, after = run.note, "", ""
    url = reverse("run", args=[f"{run.sweep.public_id}_{number}"]) if linked else ""
    return Why(before, linked, after, url, _rows(run, facts))


def _compared(facts: Mapping[str, Any]) -> int | None:
    incumbent = facts.get("incumbent") or {}
    number = incumbent.get("number")
    return number if isinstance(number, int) else None


def _rows(run: Run, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    if facts.get("mean") is not None:
        expected = f"{format_param(facts['mean'])} ± {format_param(facts.get('spread'))}"
        rows.append((f"Expected {run.sweep.metric_name}", expected))
    if facts.get("acquisition") is not None:
        rows.append(("Log improvement", format_param(facts["acquisition"])))
    if run.best_value is not None and facts.get("mean") is not None:
        rows.append(("Became", format_param(run.best_value)))
    if facts.get("learned_from") is not None:
        pending = facts.get("pending") or 0
        rows.append(("Learned from", f"{facts['learned_from']} runs, {pending} under way"))
    return [(label, text or DASH) for label, text in rows]
