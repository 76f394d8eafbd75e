"""Carry removals for good out, piece by piece: whoever comes next goes on where one was left.

A removal is a row that is written first (services.purge, services.outputs). Files go before rows,
the row that others hang on goes last, and each piece is harmless when it is done twice.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from experiments import clock
from experiments.formats import format_filesize
from experiments.models import Artifact, Event, Removal, Run, Sweep
from experiments.services.events import bump, notify, write_event
from experiments.services.removed_files import (
    Removed,
    remove_output_files,
    remove_sweep_files,
)
from experiments.services.text import clean_text

logger = logging.getLogger(__name__)

# Rows of so many runs are deleted in one transaction: tens of milliseconds.
_BATCH: Final = 10
_AGAIN: Final = timedelta(seconds=60)
_MAX_PROBLEM: Final = 300


def carry_on(removal: Removal, *, seconds: float) -> Removal:
    """Work on a removal for so long at most; return it as it is then.

    What stands in its way is kept on it as `problem`, and `carry_on_all` tries it again later.
    """
    until = time.monotonic() + seconds
    work = {Removal.Kind.SWEEP: _remove_sweep, Removal.Kind.OUTPUTS: _remove_outputs}
    try:
        work[Removal.Kind(removal.kind)](removal, until)
    except OSError as error:
        logger.warning("removal %s of %s: %s", removal.pk, removal.name, error)
        text = clean_text(str(error), _MAX_PROBLEM)
        _going_on(removal).update(problem=text, problem_at=clock.now())
    removal.refresh_from_db()
    return removal


def carry_on_all(*, seconds: float) -> None:
    """Work on everything that has not come to its end, oldest first, for so long at most."""
    until = time.monotonic() + seconds
    for removal in open_removals():
        carry_on(removal, seconds=max(0.0, until - time.monotonic()))
        if time.monotonic() >= until:
            return


def open_removals() -> list[Removal]:
    """Return the removals to work on; one that met a problem rests for a minute."""
    rested = Q(problem_at__isnull=True) | Q(problem_at__lt=clock.now() - _AGAIN)
    return list(Removal.objects.filter(rested, finished_at__isnull=True).order_by("pk"))


def _remove_sweep(removal: Removal, until: float) -> None:
    sweep = Sweep.objects.filter(removals=removal).first()
    if sweep is not None:
        removed = remove_sweep_files(sweep.public_id, until=until)
        _count(removal, removed)
        if not removed.is_done or not _delete_runs(removal, sweep, until):
            return
    with transaction.atomic():
        if sweep is not None:
            sweep.delete()
        _finish(removal)


def _delete_runs(removal: Removal, sweep: Sweep, until: float) -> bool:
    """Delete the rows of the runs with all that hangs on them; False when time was up before."""
    while True:
        with transaction.atomic():
            # One at a time: two processes that delete the same rows would wait for each other.
            Removal.objects.select_for_update().get(pk=removal.pk)
            batch = list(Run.objects.filter(sweep=sweep).values_list("pk", flat=True)[:_BATCH])
            if not batch:
                return True
            Run.objects.filter(pk__in=batch).delete()
        # After a step, so that even a look without any time gets on.
        if time.monotonic() >= until:
            return False


def _remove_outputs(removal: Removal, until: float) -> None:
    runs = Run.objects.filter(outputs_removal=removal, outputs_removed_at__isnull=True)
    for run in runs.order_by("pk"):
        removed = remove_output_files(run.directory, until=until)
        _count(removal, removed)
        if not removed.is_done:
            return
        _note_removed(removal, run)
        if time.monotonic() >= until:
            return
    with transaction.atomic():
        if _finish(removal) and removal.sweep_id is not None:
            removal.refresh_from_db()
            write_event(
                removal.sweep_id,
                bump(removal.sweep_id),
                Event.Kind.NOTICE,
                told(removal),
                by=removal.requested_by,
            )
            notify(removal.sweep_id)


def _note_removed(removal: Removal, run: Run) -> None:
    with transaction.atomic():
        cursor = bump(run.sweep_id)
        Artifact.objects.filter(run=run).exclude(path__startswith="logs/").delete()
        Run.objects.filter(pk=run.pk, outputs_removal=removal).update(
            outputs_removed_at=clock.now(), output_bytes=0, stamp=cursor
        )
        notify(run.sweep_id, lists=False)


def told(removal: Removal) -> str:
    """Say in one sentence what a removal of outputs has done."""
    by = removal.requested_by.get_username() if removal.requested_by else "the rule of the sweep"
    freed = format_filesize(removal.freed_bytes)
    count = removal.run_count
    what = "Outputs of 1 run" if count == 1 else f"Outputs of {count} runs"
    best = {None: "", 0: "", 1: "; the best run kept its"}
    kept = best.get(removal.kept_best, f"; the best {removal.kept_best} kept theirs")
    return f"{what} removed by {by}, {freed} freed{kept}"


def _count(removal: Removal, removed: Removed) -> None:
    if removed.freed_bytes:
        Removal.objects.filter(pk=removal.pk).update(
            freed_bytes=F("freed_bytes") + removed.freed_bytes
        )
    if removed.problem is not None:
        raise removed.problem


def _finish(removal: Removal) -> bool:
    changed = _going_on(removal).update(finished_at=clock.now(), problem="", problem_at=None)
    return bool(changed)


def _going_on(removal: Removal) -> QuerySet[Removal]:
    return Removal.objects.filter(pk=removal.pk, finished_at__isnull=True)
