"""The sweeps list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from experiments import formats, queries
from experiments.permissions import Action
from experiments.queries import SweepRow
from experiments.queries.sweep_list import starred_ids, tag_filters, tags_in_use
from experiments.queries.watch import slots_in_use
from experiments.states import RUN_LIVE, RUN_TERMINAL, SweepState, badge
from experiments.storable import is_storable
from experiments.views.trash import just_trashed

PAGE_SIZE: Final = 50
# Of the tags of a sweep in its line.
_MOST_TAGS: Final = 3
_LONGEST_TAG: Final = 1101
MOST_ROWS: Final = 200
# Always offered, in this order; other states only while a sweep is in them.
_MAIN_STATES: Final = (
    SweepState.RUNNING,
    SweepState.QUEUED,
    SweepState.PAUSED,
    SweepState.COMPLETED,
    SweepState.FAILED,
    SweepState.CANCELED,
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; empty means everything."""

    text: str = ""
    state: str = ""
    experiment: str = ""
    owner: str = ""
    tag: str = ""
    starred: str = ""
    workspace: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filters:
        """Read the address; a state that does not exist is no filter."""
        state = query.get("state", "")
        tag = query.get("tag", "").strip()[:_LONGEST_TAG]
        return cls(
            text=query.get("q", "").strip()[:200],
            state=state if state in set(SweepState) else "",
            experiment=query.get("experiment", "")[:255],
            owner="me" if query.get("owner") == "me" else "",
            tag=tag if is_storable(tag) else "",
            starred="1" if query.get("starred") == "1" else "",
            workspace=asked if is_storable(asked := query.get("workspace", "")[:60]) else "",
        )

    def url(self, **changes: str) -> str:
        """Return the address of the list with some of the filters changed."""
        values = {**asdict(self), **changes}
        values["q"] = values.pop("text")
        query = urlencode({key: value for key, value in values.items() if value})
        return reverse("sweeps") + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Pill:
    """One state filter with the count of the unfiltered list."""

    state: str
    label: str
    count: int
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ListedSweep:
    """A row of the list with what its line shows."""

    row: SweepRow
    ended_runs: int
    live_runs: int
    digits: int
    seconds: float | None
    note: str
    is_starred: bool
    may_change: bool
    tags: list[tuple[str, str]]

    @classmethod
    def of(
        cls, row: SweepRow, now: datetime, *, is_starred: bool = False, may_change: bool = False
    ) -> ListedSweep:
        """Derive what the line shows of a sweep at `now`."""
        until = row.ended or now
        ended_badly = row.state in (SweepState.FAILED, SweepState.CANCELED)
        return cls(
            row=row,
            ended_runs=sum(row.counts.get(s, 0) for s in RUN_TERMINAL),
            live_runs=sum(row.counts.get(s, 0) for s in RUN_LIVE),
            digits=formats.metric_digits([row.best_value]),
            seconds=(until - row.started).total_seconds() if row.started else None,
            note=row.reason if ended_badly else row.note,
            is_starred=is_starred,
            may_change=may_change,
            tags=tag_filters(row.tags)[:_MOST_TAGS],
        )


@require_safe
def sweep_list(request: HttpRequest) -> HttpResponse:
    """Show the sweeps, newest first; with the header X-Fragment only the parts that change."""
    filters = Filters.read(request.GET)
    page = queries.sweep_list(
        request.user,
        state=filters.state or None,
        experiment=filters.experiment or None,
        text=filters.text,
        owner=request.user.get_username() if filters.owner else None,
        tag=filters.tag,
        starred=bool(filters.starred),
        workspace=filters.workspace,
        cursor=request.GET.get("cursor") or None,
        limit=_row_count(request.GET.get("count", "")),
    )
    counts = queries.state_counts(request.user)
    starred = starred_ids(request.user, [row.public_id for row in page.items])
    now = timezone.now()
    writable = set(
        queries.workspaces_where(request.user, Action.SUBMIT).values_list("pk", flat=True)
    )
    current = queries.current_workspace(request.user)
    context = {
        "filters": filters,
        "rows": [
            ListedSweep.of(
                row,
                now,
                is_starred=row.public_id in starred,
                may_change=row.workspace_id in writable,
            )
            for row in page.items
        ],
        "next_url": filters.url(cursor=page.next_cursor) if page.next_cursor else "",
        "total": counts["all"],
        "pills": _pills(filters, counts),
        "glance": _glance(request, counts),
        "can_change": current is not None and current.pk in writable,
        "trash_count": queries.trashed_for(request.user).count(),
    }
    if "X-Fragment" in request.headers:
        return render(request, "experiments/_sweep_list_parts.html", context)
    return render(request, "experiments/sweep_list.html", context | _choices(request, filters))


def _choices(request: HttpRequest, filters: Filters) -> dict[str, Any]:
    # Not those of which everything is in the trash.
    shown = Exists(queries.sweeps_for(request.user).filter(experiment=OuterRef("pk")))
    experiments = queries.experiments_for(request.user).filter(shown).order_by("name")
    return {
        "tags": list(
            dict.fromkeys([*([filters.tag] if filters.tag else []), *tags_in_use(request.user)])
        ),
        "experiments": list(experiments.values_list("name", flat=True).distinct()),
        "just_trashed": just_trashed(request),
    }


def _glance(request: HttpRequest, counts: Mapping[str, int]) -> dict[str, int]:
    busy, slots = slots_in_use(request.user)
    return {
        "running": counts.get(SweepState.RUNNING, 0),
        "queued": counts.get(SweepState.QUEUED, 0),
        "active_runs": queries.runs_for(request.user).filter(state__in=sorted(RUN_LIVE)).count(),
        "busy_slots": busy,
        "slots": slots,
    }


def _pills(filters: Filters, counts: Mapping[str, int]) -> list[Pill]:
    states = [*_MAIN_STATES, *(s for s in SweepState if s not in _MAIN_STATES and counts.get(s))]
    every = [("", "All", counts["all"])]
    every += [(str(s), badge(s).label, counts.get(s, 0)) for s in states]
    return [
        Pill(
            state=state,
            label=label,
            count=count,
            url=filters.url(state=state),
            is_current=filters.state == state,
        )
        for state, label, count in every
    ]


def _row_count(asked: str) -> int:
    return min(MOST_ROWS, max(PAGE_SIZE, int(asked))) if asked.isdecimal() else PAGE_SIZE
