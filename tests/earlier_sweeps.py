"""Earlier sweeps for tests of warm starts: runs with reports and files, ended as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.models import Run, Sweep
from experiments.services.runs import RunOutcome, finish_run, start_run
from experiments.services.transitions import move_sweep
from experiments.states import SweepState
from tests.factories import claim, make_run, make_sweep, report

_END_REASONS = {"Completed": "max_runs", "Canceled": "user", "Failed": "all_runs_failed"}


def make_ended_sweep(
    *curves: Sequence[float],
    state: str = "Completed",
    folder: Path | None = None,
    exit_code: int = 0,
    **spec: Any,
) -> Sweep:
    """Return an ended sweep with an ended run for each curve.

    With a `folder`, each run left `checkpoint.txt` with its number in ./outputs.
    """
    limits = {"max_total_runs": 100, "max_concurrent_runs": 100}
    sweep = make_sweep(**{**limits, **spec})
    # The controller adds no runs of its own, and ends the sweep with the last of these.
    Sweep.objects.filter(pk=sweep.pk).update(is_exhausted=True)
    runs = [_start(sweep, number, folder) for number in range(len(curves))]
    for run, values in zip(runs, curves, strict=True):
        report(run, list(values))
        finish_run(run.pk, run.fence, RunOutcome(exit_code=exit_code))
    sweep.refresh_from_db()
    if not sweep.is_terminal:
        move_sweep(sweep.pk, SweepState.COMPLETED, end_reason="max_runs", reason="All ended.")
    Sweep.objects.filter(pk=sweep.pk).update(state=state, end_reason=_END_REASONS[state])
    sweep.refresh_from_db()
    return sweep


def run_of(sweep: Sweep, number: int) -> Run:
    """Return one run of a sweep."""
    return Run.objects.select_related("sweep").get(sweep=sweep, number=number)


def _start(sweep: Sweep, number: int, folder: Path | None) -> Run:
    names = list(sweep.spec["search_space"])
    run = make_run(sweep, **dict(zip(names, (0.1 * (number + 1), 1), strict=False)))
    directory = folder / sweep.public_id / str(number) if folder else None
    if directory:
        (directory / "outputs").mkdir(parents=True)
        (directory / "outputs" / "checkpoint.txt").write_text(str(number))
    claimed = claim(run)
    return start_run(run.pk, claimed.fence, arguments=["x"], directory=str(directory or ""))
