"""Make an ended sweep of runs that ran elsewhere: the one way in for files and for capsules.

`import_sweep` takes an `ObservedSweep` (experiments.imports) and stores all of it in one
transaction. Its runs are observed ones: they are never executed, they belong to a target where
nothing runs, and `Sweep.imported` says where they come from.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction

from experiments import clock
from experiments.curves import is_better
from experiments.imports.build import NO_CODE
from experiments.imports.document import digest_of
from experiments.imports.observed import ObservedRun, ObservedSeries, ObservedSweep
from experiments.imports.space import value_faults
from experiments.models import Event, Experiment, Run, Snapshot, Sweep, SweepImport, Workspace
from experiments.problems import Problem, ProblemsError
from experiments.services.chunks import Columns, KnownSeries, append_columns
from experiments.services.compute import imported_target
from experiments.services.events import bump, notify, write_event
from experiments.services.import_ends import check_ends, end_sweep, run_end
from experiments.services.metrics import primary_fields
from experiments.services.outcome import Logged
from experiments.services.sampling import arguments_of
from experiments.services.snapshots import mark_used, snapshot_directory
from experiments.services.text import clean_text
from experiments.spec import SweepSpec
from experiments.states import SweepState, badge

_CODE: Final = (
    '"""The runs of this sweep ran elsewhere and were imported: their code is not here."""\n\n'
    'raise SystemExit("This sweep was imported without its code; choose your own folder.")\n'
)
_MAX_TEXT: Final = 1000
_MAX_NAME: Final = 255
_NO_SERIES: Final = KnownSeries({}, {})


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import would make, or has made: `sweep` is None for a check of something new."""

    spec: SweepSpec
    digest: str
    runs: int
    reports: int
    metrics: list[str]
    states: dict[str, int]
    sweep: Sweep | None = None
    is_new: bool = False


@dataclass(slots=True)
class _Batch:
    """A run on its way into the database, with its reports as arrays by metric."""

    observed: ObservedRun
    run: Run
    ended: datetime
    columns: dict[str, Columns] = field(default_factory=dict)


def check_import(observed: ObservedSweep, workspace: Workspace) -> Imported:
    """Return what an import would make; `sweep` is the one that has the same content already.

    Raises:
        ProblemsError: everything that is wrong; nothing was stored.
    """
    spec = SweepSpec.parse(observed.spec)
    problems = [*check_ends(observed), *_run_problems(observed, spec)]
    if problems:
        raise ProblemsError(problems)
    digest = digest_of(observed)
    present = Sweep.objects.filter(
        imported__digest=digest, experiment__workspace=workspace, trashed_at__isnull=True
    )
    names = {series.name: None for run in observed.runs for series in run.series}
    return Imported(
        spec=spec,
        digest=digest,
        runs=len(observed.runs),
        reports=observed.reports,
        metrics=list(names),
        states=dict(Counter(run.status for run in observed.runs)),
        sweep=present.order_by("pk").first(),
    )


def import_sweep(
    observed: ObservedSweep, *, owner: User, workspace: Workspace, again: bool = False
) -> Imported:
    """Store an ended sweep with its runs and all reports; all of it or nothing.

    The same content is not stored twice in a workspace unless `again`: the sweep that is there is
    returned, with `is_new` False.

    Raises:
        ProblemsError: everything that is wrong; nothing was stored.
    """
    found = check_import(observed, workspace)
    if found.sweep is not None and not again:
        return found
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NO_CODE).write_text(_CODE, encoding="utf-8")
        snapshot = snapshot_directory(Path(folder), workspace=workspace)
    with transaction.atomic():
        sweep = _create_sweep(observed, found, snapshot, owner, workspace)
        batches = _create_runs(sweep, observed, found.spec)
        _note_best(sweep, batches)
        ended = observed.ended or max(batch.ended for batch in batches)
        started = observed.started or min(sweep.created_at, ended)
        end_sweep(sweep.pk, observed, started=started, ended=ended)
        notify(sweep.pk)
    return Imported(
        **{name: getattr(found, name) for name in _SUMMARY},
        sweep=Sweep.objects.get(pk=sweep.pk),
        is_new=True,
    )


_SUMMARY: Final = ("spec", "digest", "runs", "reports", "metrics", "states")


def _run_problems(observed: ObservedSweep, spec: SweepSpec) -> list[Problem]:
    problems = []
    known = spec.search_space
    for i, run in enumerate(observed.runs):
        path = f"runs[{i}].hyperparameters"
        unknown = [name for name in run.params if name not in known]
        if unknown:
            text = f"The search space has no {unknown[0]!r}; it has {', '.join(known)}."
            problems.append(Problem(f"{path}.{unknown[0]}", text))
        problems += [Problem(path, text) for text in value_faults(run.params)]
    return problems


def _create_sweep(
    observed: ObservedSweep,
    found: Imported,
    snapshot: Snapshot,
    owner: User,
    workspace: Workspace,
) -> Sweep:
    spec = found.spec
    mark_used(snapshot)
    experiment, _ = Experiment.objects.get_or_create(workspace=workspace, name=spec.experiment)
    ends = [run.ended for run in observed.runs if run.ended]
    starts = [time for run in observed.runs if (time := run.created or run.started or run.ended)]
    created = observed.created or min(starts, default=min(ends, default=clock.now()))
    sweep = Sweep.objects.create(
        experiment=experiment,
        owner=owner,
        compute=imported_target(),
        snapshot=snapshot,
        name=spec.name,
        description=spec.description,
        tags=spec.tags,
        spec=spec.dump(),
        seed=observed.seed or 0,
        max_total_runs=spec.max_total_runs,
        max_concurrent_runs=spec.effective_concurrency,
        metric_name=spec.metric_name,
        goal=spec.goal,
        created_at=created,
        next_number=max(run.number for run in observed.runs) + 1,
        sampled=sum(run.retry_of is None for run in observed.runs),
    )
    SweepImport.objects.create(
        sweep=sweep,
        kind=observed.kind,
        source=clean_text(observed.source, 500),
        digest=found.digest,
        by=owner,
    )
    write_event(
        sweep.pk,
        bump(sweep.pk),
        Event.Kind.SWEEP,
        f"Sweep: imported from {observed.source} by {owner.get_username()}",
        payload={"state": SweepState.QUEUED, "end_reason": ""},
        by=owner,
    )
    return sweep


def _create_runs(sweep: Sweep, observed: ObservedSweep, spec: SweepSpec) -> list[_Batch]:
    """Store the runs, born ended, their reports and one line of the log for each."""
    last = bump(sweep.pk, by=len(observed.runs))
    first = last - len(observed.runs) + 1
    now = clock.now()
    batches = [
        _batch(sweep, run, spec, stamp=first + i, now=now) for i, run in enumerate(observed.runs)
    ]
    Run.objects.bulk_create([batch.run for batch in batches], batch_size=100)
    by_number = {batch.run.number: batch.run for batch in batches}
    repeats = [batch.run for batch in batches if batch.observed.retry_of is not None]
    for batch in batches:
        if batch.observed.retry_of is not None:
            batch.run.retry_of = by_number[batch.observed.retry_of]
        if batch.columns:
            append_columns(batch.run, batch.run.stamp, batch.columns, _NO_SERIES)
    Run.objects.bulk_update(repeats, ["retry_of"], batch_size=100)
    Event.objects.bulk_create([_event(sweep, batch) for batch in batches], batch_size=100)
    return batches


def _batch(
    sweep: Sweep, observed: ObservedRun, spec: SweepSpec, *, stamp: int, now: datetime
) -> _Batch:
    ended = observed.ended or now
    begun = observed.created or observed.started or ended
    columns = {
        clean_text(series.name, _MAX_NAME): _columns(series, ended) for series in observed.series
    }
    primary = columns.get(spec.metric_name)
    summary = primary_fields(Run(sweep=sweep), primary) if primary else {}
    end = run_end(observed, _logged(spec, summary, list(columns)))
    run = Run(
        public_id=f"{sweep.public_id}_{observed.number}",
        sweep=sweep,
        number=observed.number,
        params=dict(observed.params),
        arguments=_arguments(observed, spec),
        note=observed.note,
        origin=observed.origin if observed.origin in Run.Origin.values else Run.Origin.SAMPLER,
        tags=dict(observed.tags),
        properties=dict(observed.properties),
        worker_name=observed.worker,
        host=observed.host,
        exit_code=observed.exit_code,
        stamp=stamp,
        created_at=begun,
        started_at=observed.started,
        ended_at=ended,
        # Born ended: it has never been in another state here.
        state=end.state,
        end_reason=end.end_reason,
        reason=end.reason,
        **summary,
    )
    return _Batch(observed, run, ended, columns)


def _logged(spec: SweepSpec, summary: dict[str, Any], names: list[str]) -> Logged:
    return Logged(
        metric=spec.metric_name,
        reports=summary.get("reports", 0),
        best_value=summary.get("best_value"),
        best_interval=summary.get("best_interval"),
        names=sorted(names),
    )


def _arguments(observed: ObservedRun, spec: SweepSpec) -> list[str]:
    if observed.arguments is not None:
        return list(observed.arguments)
    return arguments_of(spec, observed.params) if spec.command is None else []


def _columns(series: ObservedSeries, ended: datetime) -> Columns:
    """Return a series as arrays; reports without a time are those of the end of their run."""
    count, nan = len(series.values), float("nan")
    steps = series.steps if series.steps is not None else [None] * count
    times = series.times if series.times is not None else [ended.timestamp()] * count
    texts = {i: value for i, value in enumerate(series.values) if isinstance(value, str)}
    values = [nan if isinstance(value, str) else value for value in series.values]
    return Columns(
        values=np.array(values, dtype="<f8"),
        steps=np.array([nan if step is None else step for step in steps], dtype="<f8"),
        times=np.array(times, dtype="<f8"),
        texts={i: clean_text(text, _MAX_TEXT) for i, text in texts.items()},
    )


def _event(sweep: Sweep, batch: _Batch) -> Event:
    run = batch.run
    label = badge(run.state, run.end_reason).label
    return Event(
        sweep=sweep,
        run=run,
        cursor=run.stamp,
        kind=Event.Kind.RUN,
        message=f"Run {run.number}: {label}. {run.reason}",
        payload={"number": run.number, "state": run.state, "end_reason": run.end_reason},
        created_at=batch.ended,
    )


def _note_best(sweep: Sweep, batches: list[_Batch]) -> None:
    best: Run | None = None
    value: float | None = None
    for run in (batch.run for batch in batches):
        found = run.best_value
        if found is not None and (value is None or is_better(sweep.goal, found, value)):
            best, value = run, found
    if best is not None:
        rows = Sweep.objects.filter(pk=sweep.pk)
        rows.update(best_run=best, best_value=value, best_stamp=best.stamp)
