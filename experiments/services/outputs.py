"""Remove outputs of runs that have ended: of one run, or of all but the best ones of a sweep.

Metrics, logs and configuration stay, and so do models that were registered from them. The work is
done by services.removals; a rule set on a live sweep is carried out at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from experiments.models import Event, Removal, Run, Sweep
from experiments.problems import Problem, ProblemsError
from experiments.queries.outputs import plan_outputs, readers_of_outputs
from experiments.queries.sizes import output_bytes
from experiments.queries.watch import if_any
from experiments.services.audit import Act, record
from experiments.services.events import bump, notify, write_event
from experiments.services.refused import Refused
from experiments.space.literals import brief
from experiments.states import SWEEP_TERMINAL, RunState, badge
from experiments.storage.chosen import tree_of

MOST_BEST: Final = 1000


def has_outputs(run: Run) -> bool:
    """Tell whether there is anything of a run that `remove_outputs` would take."""
    if not run.is_terminal or not run.directory:
        return False
    return any(not f.path.startswith("logs/") for f in tree_of(run.directory).files())


def remove_outputs(run: Run, *, user: User) -> Removal:
    """Begin to remove what a run left in ./outputs and uploaded; return the removal.

    Raises:
        Refused: it has not ended, has nothing, or a live sweep resumes it.
    """
    # Outside of the transaction, which must wait for no network.
    has_any = has_outputs(run)
    with transaction.atomic():
        cursor = bump(run.sweep_id)
        fresh = Run.objects.select_related("sweep__experiment__workspace").get(pk=run.pk)
        if reason := _why_not(fresh, has_any=has_any):
            raise Refused(reason)
        size = output_bytes(run.sweep_id).get(run.pk, 0)
        return _begin(fresh.sweep, [fresh], size, cursor, user=user)


def keep_outputs_of_best(sweep: Sweep, best: Any, *, user: User | None) -> Removal | None:
    """Begin to remove the outputs of all runs of an ended sweep but its best ones.

    Runs that a live sweep resumes keep theirs. None when there is nothing to remove; `user` None
    stands for the sweep's own rule.

    Raises:
        ProblemsError: `best` is no number from 0 to 1000.
        Refused: the sweep has not ended.
    """
    check_best(best)
    with transaction.atomic():
        cursor = bump(sweep.pk)
        fresh = Sweep.objects.select_related("experiment__workspace").get(pk=sweep.pk)
        if not fresh.is_terminal:
            label = badge(fresh.state, fresh.end_reason).label.lower()
            text = f"The sweep is {label}; outputs can be removed once it has ended."
            raise Refused(text)
        Sweep.objects.filter(pk=fresh.pk).update(keep_outputs_of_best=None)
        plan = plan_outputs(fresh, best)
        runs = [one.run for one in plan.removed]
        if not runs:
            return None
        return _begin(fresh, runs, plan.freed_bytes, cursor, user=user, best=best)


def set_rule(sweep: Sweep, best: Any, *, user: User) -> None:
    """Let a live sweep keep the outputs of its best runs alone when it ends; None: of all runs.

    Raises:
        ProblemsError: `best` is no number from 0 to 1000.
        Refused: the sweep has ended.
    """
    if best is not None:
        check_best(best)
    with transaction.atomic():
        cursor = bump(sweep.pk)
        fresh = Sweep.objects.get(pk=sweep.pk)
        if fresh.is_terminal:
            raise Refused("The sweep has ended; remove the outputs of its runs at once.")
        if fresh.keep_outputs_of_best == best:
            return
        Sweep.objects.filter(pk=sweep.pk).update(keep_outputs_of_best=best)
        rule = "all runs keep their outputs" if best is None else _rule(best)
        message = f"Sweep: at its end {rule}, as {user.get_username()} has chosen"
        write_event(sweep.pk, cursor, Event.Kind.NOTICE, message, by=user)
        notify(sweep.pk)


def obey_rules() -> None:
    """Begin what the rules of ended sweeps ask for."""
    ended = Sweep.objects.filter(
        keep_outputs_of_best__isnull=False,
        state__in=sorted(SWEEP_TERMINAL),
        trashed_at__isnull=True,
    )
    for sweep in if_any(ended.order_by("ended_at")):
        with suppress(Refused):  # somebody repeats runs of it again
            keep_outputs_of_best(sweep, sweep.keep_outputs_of_best, user=None)


def check_best(best: Any) -> int:
    """Return how many of the best runs are to keep their outputs.

    Raises:
        ProblemsError: it is no number from 0 to 1000.
    """
    is_number = isinstance(best, int) and not isinstance(best, bool)
    if not is_number or not 0 <= best <= MOST_BEST:
        text = f"The number of runs that keep their outputs is {brief(best)}; use 0 to {MOST_BEST}."
        raise ProblemsError([Problem("best", text)])
    return int(best)


def _rule(best: int) -> str:
    if best == 0:
        return "no run keeps its outputs"
    return (
        "only the best run keeps its outputs"
        if best == 1
        else (f"only the best {best} runs keep their outputs")
    )


def _why_not(run: Run, *, has_any: bool) -> str:
    if not run.is_terminal:
        return f"Run {run.number} is {RunState(run.state)}; outputs can be removed at its end."
    reader = readers_of_outputs(run.sweep).get(run.pk)
    if reader:
        return (
            f"The live sweep {reader} resumes run {run.number} and reads its outputs; wait for its "
            "end or cancel it first."
        )
    return "" if has_any else f"Run {run.number} has no outputs to remove."


def _begin(
    sweep: Sweep,
    runs: Sequence[Run],
    size: int,
    cursor: int,
    *,
    user: User | None,
    best: int | None = None,
) -> Removal:
    removal = Removal.objects.create(
        kind=Removal.Kind.OUTPUTS,
        workspace_id=sweep.experiment.workspace_id,
        sweep=sweep,
        sweep_public_id=sweep.public_id,
        name=sweep.name,
        run_count=len(runs),
        kept_best=best,
        expected_bytes=size,
        requested_by=user,
    )
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(
        outputs_removal=removal, outputs_removed_at=None, stamp=cursor
    )
    record(
        Act.OUTPUTS_REMOVED,
        by=user,
        workspace=sweep.experiment.workspace,
        about=sweep.name,
        about_id=runs[0].public_id if len(runs) == 1 else sweep.public_id,
        details={"runs": len(runs), "kept_best": best, "bytes": size},
    )
    notify(sweep.pk)
    return removal
