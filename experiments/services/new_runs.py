"""Create queued runs: numbers are taken by compare-and-set, events and jobs follow the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from experiments.models import Event, Run, Sweep
from experiments.services.dispatch import enqueue_run
from experiments.services.events import bump, notify, told_by
from experiments.services.transitions import StaleState
from experiments.spec_command import without_resume_from
from experiments.states import RunState, SweepState, badge

# Where the note says more than that a sampler chose the values.
_TELLING: Final = frozenset({Run.Origin.HAND, Run.Origin.RESUMED})


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is made of: hyperparameters, the words its script is given, who chose them."""

    params: Mapping[str, Any]
    arguments: Sequence[str]
    note: str = ""
    origin: Run.Origin = Run.Origin.SAMPLER
    facts: Mapping[str, Any] | None = None
    resumption_id: int | None = None


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
            max_concurrent_runs=sweep.max_concurrent_runs,
            max_total_runs__gte=sweep.sampled + count,
        ).update(next_number=F("next_number") + count, sampled=F("sampled") + count)
        if not taken:
            raise StaleState(f"Sweep {sweep.pk} went on while its next runs were chosen.")
        rows = [
            _row(sweep, sweep.next_number + i, last - count + 1 + i, new)
            for i, new in enumerate(wanted)
        ]
        return _save(sweep, rows)


def create_retry(lost: Run, *, is_waiting: bool = False, by: User | None = None) -> Run:
    """Create a run that repeats `lost` with the same hyperparameters; part of its transaction.

    It takes a number of its own but does not count towards max_total_runs. `is_waiting`: it has no
    slot yet, the controller gives it one; a run that was lost has left its own. `by` is who wanted
    it, when a person did.
    """
    cursor = bump(lost.sweep_id)
    sweep = Sweep.objects.select_related("compute").get(pk=lost.sweep_id)
    Sweep.objects.filter(pk=sweep.pk).update(next_number=F("next_number") + 1)
    given = lost.arguments
    if lost.resumption_id is not None:
        # The copy of the outputs was in the directory of the lost run; this one gets its own.
        given = without_resume_from(given)
    new = NewRun(lost.params, given, lost.note, Run.Origin.RETRY, lost.facts, lost.resumption_id)
    waits = is_waiting or sweep.state != SweepState.RUNNING
    row = _row(sweep, sweep.next_number, cursor, new, is_waiting=waits)
    row.retry_of = lost
    return _save(sweep, [row], by)[0]


def create_by_hand(sweep_id: int, new: NewRun, *, by: User) -> Run:
    """Create a waiting run of a person's own values; it counts towards max_total_runs.

    Part of the caller's transaction, which has checked the limit since it bumped the cursor.
    """
    cursor = bump(sweep_id)
    sweep = Sweep.objects.select_related("compute").get(pk=sweep_id)
    counts = {"next_number": F("next_number") + 1, "sampled": F("sampled") + 1}
    Sweep.objects.filter(pk=sweep_id).update(**counts)
    row = _row(sweep, sweep.next_number, cursor, new, is_waiting=True)
    return _save(sweep, [row], by)[0]


def _row(sweep: Sweep, number: int, stamp: int, new: NewRun, *, is_waiting: bool = False) -> Run:
    return Run(
        public_id=f"{sweep.public_id}_{number}",
        sweep=sweep,
        number=number,
        params=dict(new.params),
        arguments=list(new.arguments),
        note=new.note,
        facts=None if new.facts is None else dict(new.facts),
        origin=new.origin,
        resumption_id=new.resumption_id,
        stamp=stamp,
        state=RunState.NOT_STARTED if is_waiting else RunState.QUEUED,
    )


def _save(sweep: Sweep, rows: list[Run], by: User | None = None) -> list[Run]:
    created = Run.objects.bulk_create(rows)
    Event.objects.bulk_create(
        Event(
            sweep=sweep,
            run=run,
            cursor=run.stamp,
            kind=Event.Kind.RUN,
            message=_first_sentence(run),
            payload={
                "number": run.number,
                "state": run.state,
                "end_reason": "",
                **told_by(by),
            },
        )
        for run in created
    )
    for run in created:
        if run.state == RunState.QUEUED:
            enqueue_run(run)
    notify(sweep.pk)
    return created


def _first_sentence(run: Run) -> str:
    start = f"Run {run.number}: {badge(run.state).label}"
    if run.retry_of is not None:
        return f"{start}. It repeats run {run.retry_of.number}."
    return f"{start}. {run.note}" if run.origin in _TELLING else start
