"""Create queued runs: numbers are taken by compare-and-set, events and jobs follow the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from experiments.models import Event, Run, Sweep
from experiments.services.dispatch import enqueue_run
from experiments.services.events import bump, notify
from experiments.services.transitions import StaleState
from experiments.states import RunState, SweepState


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is made of: hyperparameters, the words its script is given, the sampler's note."""

    params: Mapping[str, Any]
    arguments: Sequence[str]
    note: str = ""


def create_runs(sweep: Sweep, wanted: Sequence[NewRun]) -> list[Run]:
    """Create the next runs of a sweep and queue them.

    `sweep` is what the caller decided on: its `next_number` and `sampled` are compared.

    Raises:
        StaleState: somebody else created runs meanwhile, or the sweep is not running any more.
    """
    count = len(wanted)
    with transaction.atomic():
        last = bump(sweep.pk, by=count)
        taken = Sweep.objects.filter(
            pk=sweep.pk,
            state=SweepState.RUNNING,
            next_number=sweep.next_number,
            sampled=sweep.sampled,
            max_total_runs__gte=sweep.sampled + count,
        ).update(next_number=F("next_number") + count, sampled=F("sampled") + count)
        if not taken:
            raise StaleState(f"Sweep {sweep.pk} went on while its next runs were chosen.")
        rows = [
            _row(sweep, sweep.next_number + i, last - count + 1 + i, new)
            for i, new in enumerate(wanted)
        ]
        return _save(sweep, rows)


def create_retry(lost: Run) -> Run:
    """Create a run that repeats `lost` with the same hyperparameters; part of its transaction.

    It takes a number of its own but does not count towards max_total_runs.
    """
    cursor = bump(lost.sweep_id)
    sweep = Sweep.objects.select_related("compute").get(pk=lost.sweep_id)
    Sweep.objects.filter(pk=sweep.pk).update(next_number=F("next_number") + 1)
    new = NewRun(params=lost.params, arguments=lost.arguments, note=lost.note)
    row = _row(sweep, sweep.next_number, cursor, new)
    row.retry_of = lost
    return _save(sweep, [row])[0]


def _row(sweep: Sweep, number: int, stamp: int, new: NewRun) -> Run:
    return Run(
        public_id=f"{sweep.public_id}_{number}",
        sweep=sweep,
        number=number,
        params=dict(new.params),
        arguments=list(new.arguments),
        note=new.note,
        stamp=stamp,
    )


def _save(sweep: Sweep, rows: list[Run]) -> list[Run]:
    created = Run.objects.bulk_create(rows)
    Event.objects.bulk_create(
        Event(
            sweep=sweep,
            run=run,
            cursor=run.stamp,
            kind=Event.Kind.RUN,
            message=_queued_sentence(run),
            payload={"number": run.number, "state": RunState.QUEUED, "end_reason": ""},
        )
        for run in created
    )
    for run in created:
        enqueue_run(run)
    notify(sweep.pk)
    return created


def _queued_sentence(run: Run) -> str:
    if run.retry_of is None:
        return f"Run {run.number}: Queued"
    return f"Run {run.number}: Queued. It repeats run {run.retry_of.number}."
