"""Sweeps that have ended, with files of their runs in the storage: what removals are tested on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.models import Run, Sweep
from experiments.services.outcome import RunOutcome
from experiments.services.runs import add_artifacts, begin_finalizing, finish_run, start_run
from experiments.services.storage import run_directory
from experiments.services.sweeps import cancel_sweep
from tests.factories import claim, make_run, make_sweep, report

# What each run leaves: 1000 bytes of outputs, 500 uploaded, 100 of logs.
FILES = {
    "outputs/model.bin": 600,
    "outputs/deep/notes.txt": 400,
    "uploads/checkpoints/last.bin": 500,
    "logs/std_log.txt": 100,
}
OUTPUTS, ALL = 1500, 1600


def ended_sweep(*values: float | None, **spec: Any) -> Sweep:
    """Return a sweep whose runs have reported these values, have left files and have ended."""
    sweep = make_sweep(max_total_runs=max(1, len(values)), **spec)
    # All of them first: the end of a run lets the controller fill free slots.
    for run, value in [(running_run(sweep), value) for value in values]:
        end_run(run, value)
    sweep.refresh_from_db()
    if not sweep.is_terminal:
        cancel_sweep(sweep, user=sweep.owner)
        sweep.refresh_from_db()
    assert sweep.is_terminal
    return sweep


def end_run(run: Run, value: float | None) -> Run:
    """Let a run report a value, leave files and complete."""
    if value is not None:
        report(run, [value])
    keep_files(run)
    begin_finalizing(run.pk, run.fence)
    finish_run(run.pk, run.fence, RunOutcome(exit_code=0))
    return Run.objects.get(pk=run.pk)


def running_run(sweep: Sweep) -> Run:
    """Add a run that goes on, in its directory of the storage."""
    claimed = claim(make_run(sweep))
    directory = run_directory(sweep.public_id, claimed.number, claimed.fence)
    return start_run(
        claimed.run_id,
        claimed.fence,
        arguments=["python", "train.py"],
        directory=str(directory),
        guard_pid=2,
    )


def keep_files(run: Run) -> None:
    """Write the files of a run, as they are after its end, and note them."""
    for name, size in FILES.items():
        path = Path(run.directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    named = [(name.removeprefix("uploads/"), size, "") for name, size in FILES.items()]
    add_artifacts(run.pk, named)


def files_below(folder: Path) -> set[str]:
    """Return the names of all files in a folder."""
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
