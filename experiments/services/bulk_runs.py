"""What people do to many runs of a sweep at once: cancel, repeat, tag. The rest stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from experiments.models import Run, Sweep
from experiments.problems import Problem, ProblemsError
from experiments.services.advance import advance_sweep
from experiments.services.retries import retry_runs
from experiments.services.run_marks import tag_runs
from experiments.services.stopping import request_stop, stop_order
from experiments.states import EndReason


@dataclass(frozen=True, slots=True)
class BulkResult:
    """How many runs an action was for, and how many it has changed."""

    asked: int
    changed: int

    @property
    def left(self) -> int:
        """Return how many runs the action did not fit."""
        return self.asked - self.changed


def cancel_runs(sweep: Sweep, runs: Sequence[Run], *, user: User) -> BulkResult:
    """Cancel the runs that have not ended; those that wait before those that are live."""
    reason = f"Canceled by {user.get_username()}."
    changed = 0
    for run in sorted(runs, key=stop_order):
        changed += request_stop(run.pk, end_reason=EndReason.USER, reason=reason, by=user)
    if changed:
        advance_sweep(sweep.pk)
    return BulkResult(len(runs), changed)


def repeat_runs(sweep: Sweep, runs: Sequence[Run], *, user: User) -> BulkResult:
    """Repeat the failed and canceled runs that no other run repeats yet.

    Raises:
        Refused: the sweep is being canceled.
    """
    made = retry_runs(sweep, [run.pk for run in runs], user=user)
    return BulkResult(len(runs), len(made))


def change_tags(
    sweep: Sweep, runs: Sequence[Run], *, added: dict[str, str | None], removed: Sequence[str]
) -> BulkResult:
    """Add tags to runs and take others away, on all of them or on none.

    Raises:
        ProblemsError: there is nothing to do, a text is too long, or a run would have too many.
    """
    if not added and not removed:
        raise ProblemsError([Problem("tag", "Write a tag, as name or name=text.")])
    changed = tag_runs(sweep, [run.pk for run in runs], added=added, removed=removed)
    return BulkResult(len(runs), changed)
