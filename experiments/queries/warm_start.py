"""What a warm start brings in: runs and curves of the earlier sweeps, and who goes on from whom.

Runs of earlier sweeps have numbers below 0, in order: all of them stand before the sweep's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import numpy as np

from experiments.curves import CurveSet, is_better
from experiments.models import MetricChunk, Resumption, Run, Sweep, WarmStart
from experiments.queries.visible import AnyUser, sweeps_for

_SHOWN_ID: Final = 11  # HD_ and the first eight digits


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run of an earlier sweep as the sweep that goes on from it sees it; `number` is below 0."""

    pk: int
    number: int
    text: str
    params: Mapping[str, Any]
    value: float | None
    state: str


@dataclass(frozen=True, slots=True)
class LineageEntry:
    """One end of a relation between sweeps or runs; `url` is empty where it was deleted."""

    public_id: str
    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class LineagePair:
    """A run of an earlier sweep, and the runs that go on from it."""

    source: LineageEntry
    runs: list[LineageEntry]


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a sweep comes from, and which sweeps go on from it or resume runs of it."""

    parents: list[LineageEntry] = field(default_factory=list)
    resumed: list[LineagePair] = field(default_factory=list)
    continued_by: list[LineageEntry] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether there is any relation to show."""
        return bool(self.parents or self.resumed or self.continued_by)


def earlier_runs(sweep: Sweep) -> list[EarlierRun]:
    """Return the runs of the sweeps that a sweep goes on from: in their order, by number."""
    if not sweep.spec.get("resume_from"):
        return []
    parents = {
        parent.pk: (place, parent)
        for place, parent in enumerate(
            Sweep.objects.filter(continuations__sweep=sweep).order_by("continuations__position")
        )
    }
    rows = Run.objects.filter(sweep__in=list(parents)).values_list(
        "pk", "sweep_id", "number", "params", "best_value", "state"
    )
    ordered = sorted(rows, key=lambda row: (parents[row[1]][0], row[2]))
    return [
        EarlierRun(
            pk=pk,
            number=at - len(ordered),
            text=_run_text(number, parents[sweep_id][1]),
            params=params,
            value=value,
            state=state,
        )
        for at, (pk, sweep_id, number, params, value, state) in enumerate(ordered)
    ]


def add_earlier_curves(sweep: Sweep, curves: CurveSet) -> dict[int, str]:
    """Put the primary-metric curves of the earlier sweeps into `curves`, all of them finished.

    Returns what each of these runs is called in a sentence.
    """
    runs = {run.pk: run for run in earlier_runs(sweep)}
    if not runs:
        return {}
    chunks = (
        MetricChunk.objects.filter(
            sweep__continuations__sweep=sweep, series__name=sweep.metric_name
        )
        .order_by("series", "first")
        .values_list("series__run_id", "values")
    )
    for run_id, group in groupby(chunks, key=lambda row: row[0]):
        if run_id not in runs:
            continue  # it was created since
        number = runs[run_id].number
        curves.append(number, np.concatenate([np.frombuffer(v, dtype="<f8") for _, v in group]))
        curves.set_finished(number)
    return {run.number: run.text for run in runs.values()}


def lineage_of(sweep: Sweep) -> Lineage:
    """Return the relations of a sweep; all of them are of one workspace.

    Five queries at most, one for a sweep that stands alone: its specification names what it goes
    on from.
    """
    parents = WarmStart.objects.filter(sweep=sweep).select_related("parent")
    resumed = (
        Resumption.objects.filter(sweep=sweep)
        .select_related("source__sweep")
        .prefetch_related("runs")
    )
    has_parents, has_resumed = (
        bool(sweep.spec.get(name)) for name in ("resume_from", "resume_child_runs")
    )
    return Lineage(
        parents=[_parent_entry(row) for row in parents] if has_parents else [],
        resumed=[_pair(row) for row in resumed] if has_resumed else [],
        continued_by=[_sweep_entry(row) for row in _later(sweep)],
    )


def _later(sweep: Sweep) -> list[Sweep]:
    """Return the sweeps that go on from a sweep, or from runs of it."""
    started = WarmStart.objects.filter(parent=sweep).order_by().values_list("sweep_id")
    resumed = Resumption.objects.filter(source__sweep=sweep).order_by().values_list("sweep_id")
    keys = [key for (key,) in started.union(resumed)]
    return list(Sweep.objects.filter(pk__in=keys).order_by("pk")) if keys else []


def resumed_by(run: Run) -> list[LineageEntry]:
    """Return the runs of later sweeps that go on from a run."""
    runs = Run.objects.filter(resumption__source=run).select_related("sweep").order_by("pk")
    return [_run_entry(row) for row in runs]


def resumed_from(run: Run) -> LineageEntry | None:
    """Return the run of an earlier sweep that a run goes on from."""
    if run.resumption_id is None:
        return None
    return _source_entry(
        Resumption.objects.select_related("source__sweep").get(pk=run.resumption_id)
    )


def better_earlier_run(sweep: Sweep) -> Run | None:
    """Return the best run of the earlier sweeps where it beats the sweep's own best."""
    if not sweep.spec.get("resume_from"):
        return None
    best, value = None, sweep.best_value
    parents = Sweep.objects.filter(
        continuations__sweep=sweep, best_run__isnull=False, trashed_at__isnull=True
    )
    for parent in parents.select_related("best_run").order_by("continuations__position"):
        found = parent.best_value
        if found is not None and (value is None or is_better(sweep.goal, found, value)):
            best, value = parent.best_run, found
            assert best is not None  # noqa: S101 - the filter says so
            best.sweep = parent
    return best


def find_best_run(
    user: AnyUser,
    sweep: Sweep,
    *,
    include_failed: bool = True,
    include_canceled: bool = True,
    include_earlier: bool = True,
) -> Run | None:
    """Return the run with the best value of the primary metric among these, None without one.

    Of equals the first in sampling order; the sweep's own come before those of earlier sweeps.
    """
    sweeps = [sweep.pk]
    if include_earlier and sweep.spec.get("resume_from"):
        earlier = sweeps_for(user).filter(continuations__sweep=sweep)
        sweeps += list(earlier.values_list("pk", flat=True))
    runs = Run.objects.filter(sweep__in=sweeps, best_value__isnull=False)
    left_out = [
        state
        for state, is_in in (("Failed", include_failed), ("Canceled", include_canceled))
        if not is_in
    ]
    if left_out:
        runs = runs.exclude(state__in=left_out)
    sign = "-" if sweep.goal == "maximize" else ""
    ranked = runs.select_related("sweep", "resumption").order_by(f"{sign}best_value")
    top = ranked.first()
    if top is None:
        return None
    equal = ranked.filter(best_value=top.best_value)
    own = equal.filter(sweep=sweep).order_by("number").first()
    return own or equal.order_by("sweep", "number").first()


def _run_text(number: int, sweep: Sweep) -> str:
    return f'run {number} of the earlier sweep "{sweep.name}" ({sweep.public_id[:_SHOWN_ID]})'


def _sweep_entry(sweep: Sweep) -> LineageEntry:
    return LineageEntry(sweep.public_id, sweep.name + _where(sweep), sweep.get_absolute_url())


def _run_entry(run: Run) -> LineageEntry:
    label = f"run {run.number} of {run.sweep.name}{_where(run.sweep)}"
    return LineageEntry(run.public_id, label, run.get_absolute_url())


def _where(sweep: Sweep) -> str:
    # The link leads to a page that offers to bring it back.
    return " (in the trash)" if sweep.trashed_at else ""


def _parent_entry(row: WarmStart) -> LineageEntry:
    if row.parent is None:
        return LineageEntry(row.parent_public_id, row.parent_name)
    return _sweep_entry(row.parent)


def _pair(row: Resumption) -> LineagePair:
    runs = sorted(row.runs.all(), key=lambda run: run.number)
    entries = [LineageEntry(r.public_id, f"run {r.number}", r.get_absolute_url()) for r in runs]
    return LineagePair(_source_entry(row), entries)


def _source_entry(row: Resumption) -> LineageEntry:
    if row.source is None:
        number = row.source_public_id.rpartition("_")[2]
        return LineageEntry(row.source_public_id, f"run {number} of a deleted sweep")
    return _run_entry(row.source)
