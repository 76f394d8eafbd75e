"""The audit log as it is read: lists, words for people, rows of files. Never written here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from experiments.models import AuditEntry, Workspace
from experiments.queries.page import Page
from experiments.table_files import csv_blocks

_BLOCK_ROWS: Final = 1000
# How services.audit keeps times; with a fraction where somebody else wrote them.
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?\+00:00")
_COLUMNS: Final = (
    "id", "at", "act", "by", "by_id", "workspace", "about", "about_id", "details", "address",
    "request_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is looked for; empty values are not asked about. `since` is included, `until` not."""

    act: str = ""
    by: str = ""
    workspace: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def audit_entries(wanted: AuditFilter) -> QuerySet[AuditEntry]:
    """Return the entries of the whole studio that meet a filter, newest first."""
    rows = AuditEntry.objects.order_by("-pk")
    if wanted.act:
        rows = rows.filter(act=wanted.act)
    if wanted.by:
        rows = rows.filter(by_name=wanted.by)
    if wanted.workspace:
        chosen = Workspace.objects.filter(slug=wanted.workspace).values("pk")
        rows = rows.filter(workspace__in=chosen)
    if wanted.text:
        rows = rows.filter(Q(about__icontains=wanted.text) | Q(about_id__icontains=wanted.text))
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(at__lt=wanted.until)
    return rows


def activity_page(
    workspace: Workspace, *, before: int | None, act: str = "", limit: int = 50
) -> Page[AuditEntry]:
    """Return a page of what was done in a workspace, newest first; the cursor is a key."""
    rows = AuditEntry.objects.filter(workspace=workspace.pk).order_by("-pk")
    if act:
        rows = rows.filter(act=act)
    total = rows.count()
    found = list((rows.filter(pk__lt=before) if before is not None else rows)[: limit + 1])
    more = str(found[limit - 1].pk) if len(found) > limit else None
    return Page(found[:limit], more, total)


def acts_in(workspace: Workspace) -> list[str]:
    """Return the different acts that were done in a workspace."""
    found = AuditEntry.objects.filter(workspace=workspace.pk).order_by().values_list("act")
    return sorted(act for (act,) in found.distinct())


def act_label(act: str) -> str:
    """Return an act in words.

    >>> act_label("share_link.made")
    'Share link made'
    """
    return act.replace(".", " ").replace("_", " ").capitalize()


def who_did(entry: AuditEntry) -> str:
    """Return who did it in words, also where it was no account."""
    if entry.by_name:
        return entry.by_name
    if entry.address.startswith("command line"):
        return "the command line"
    return "nobody signed in" if entry.address else "the studio"


def details_text(details: Mapping[str, Any]) -> str:
    """Return details in one line; a change shows what was and what is."""
    return "; ".join(f"{key.replace('_', ' ')}: {_words(value)}" for key, value in details.items())


def entry_json(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry for programs."""
    return {
        "id": entry.pk,
        "at": entry.at.isoformat(),
        "act": entry.act,
        "by": entry.by_name or None,
        "by_id": entry.by_id,
        "workspace": entry.workspace_name or None,
        "about": entry.about,
        "about_id": entry.about_id,
        "details": entry.details,
        "address": entry.address,
        "request_id": entry.request_id,
    }


def audit_csv(rows: QuerySet[AuditEntry]) -> Iterator[bytes]:
    """Yield entries as CSV, newest first, a thousand at a time."""
    blocks = ([_cells(entry) for entry in block] for block in _blocks(rows))
    return csv_blocks(_COLUMNS, blocks)


def audit_json_lines(rows: QuerySet[AuditEntry]) -> Iterator[bytes]:
    """Yield entries as JSON, one a line, newest first, a thousand at a time."""
    for block in _blocks(rows):
        lines = [json.dumps(entry_json(entry), ensure_ascii=False) for entry in block]
        yield "".join(f"{line}\n" for line in lines).encode()


def _blocks(rows: QuerySet[AuditEntry]) -> Iterator[list[AuditEntry]]:
    # By key, not with one cursor: each block may be asked for by another thread of the server.
    rows = rows.order_by("-pk")
    block = list(rows[:_BLOCK_ROWS])
    while block:
        yield block
        block = list(rows.filter(pk__lt=block[-1].pk)[:_BLOCK_ROWS])


def _cells(entry: AuditEntry) -> list[Any]:
    document = entry_json(entry)
    return ["" if document[name] is None else document[name] for name in _COLUMNS]


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        if set(value) == {"from", "to"}:
            return f"{_words(value['from'])} → {_words(value['to'])}"
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and (moment := _MOMENT.fullmatch(value)):
        return f"{moment[1]} {moment[2]} UTC"
    return "none" if value in (None, "") else str(value)
