"""The sweeps that a dashboard is about, read together: their keys first, then each row once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from experiments.models import Sweep
from experiments.queries.json_forms import state_counts_of
from experiments.queries.sweep_list import Lead, SweepRow, leads_of, row_of
from experiments.queries.visible import AnyUser, sweeps_for
from experiments.states import SWEEP_ACTIVE, SWEEP_TERMINAL, SweepState

LATELY: Final = timedelta(days=7)
# A failure that nobody looked at in this time is no news any more.
FAILED_LATELY: Final = timedelta(days=3)
_MOST_ACTIVE: Final = 60
_MOST_ENDED: Final = 30
_MOST_FAILED: Final = 10


@dataclass(frozen=True, slots=True)
class TeamSweeps:
    """Active sweeps, newest first (`total` of them); what ended lately, the last one first.

    `counts` and `leads` are those of all of them, by key.
    """

    now: datetime
    active: list[Sweep]
    total: int
    ended: list[Sweep]
    failed: list[Sweep]
    counts: Mapping[int, dict[str, int]]
    leads: Mapping[int, list[Lead]]

    def row(self, sweep: Sweep) -> SweepRow:
        """Return the row of one of these sweeps; no query."""
        counts = self.counts.get(sweep.pk, {"stopped_early": 0})
        return row_of(sweep, counts, self.leads.get(sweep.pk, []))


def team_sweeps(user: AnyUser, now: datetime) -> TeamSweeps:
    """Return what a person's teams are at; 7 queries at most, 5 for most of them."""
    mine = sweeps_for(user).select_related(None).values_list("pk", flat=True)
    going_on = mine.filter(state__in=sorted(SWEEP_ACTIVE))
    active = list(going_on.order_by("-pk")[:_MOST_ACTIVE])
    over = mine.filter(state__in=sorted(SWEEP_TERMINAL), ended_at__gt=now - LATELY)
    ended = list(over.order_by("-ended_at", "-pk")[:_MOST_ENDED])
    has_all = len(ended) < _MOST_ENDED
    bad = over.filter(state=SweepState.FAILED, ended_at__gt=now - FAILED_LATELY)
    failed = [] if has_all else list(bad.order_by("-ended_at")[:_MOST_FAILED])
    keys = {*active, *ended, *failed}
    known = {sweep.pk: sweep for sweep in sweeps_for(user).filter(pk__in=keys)} if keys else {}
    return TeamSweeps(
        now=now,
        active=_these(active, known),
        total=len(active) if len(active) < _MOST_ACTIVE else going_on.count(),
        ended=_these(ended, known),
        failed=_failed(_these(ended, known), now) if has_all else _these(failed, known),
        counts=state_counts_of(list(known)),
        leads=leads_of(list(known)),
    )


def _these(keys: Iterable[int], known: Mapping[int, Sweep]) -> list[Sweep]:
    # Between the two queries one may have gone to the trash.
    return [known[key] for key in keys if key in known]


def _failed(ended: Iterable[Sweep], now: datetime) -> list[Sweep]:
    since = now - FAILED_LATELY
    found = [s for s in ended if s.state == SweepState.FAILED and s.ended_at and s.ended_at > since]
    return found[:_MOST_FAILED]
