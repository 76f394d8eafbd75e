"""A sweep as its pages show it: runs in every state, files of one run, Alice, Bob and Charlie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from experiments.models import Membership, Run, Sweep
from experiments.services.outcome import RunOutcome
from experiments.services.runs import begin_finalizing, finish_run, start_run
from experiments.services.stopping import request_stop
from experiments.states import EndReason
from tests.factories import claim, make_run, make_sweep, make_user, make_workspace, report

BANDIT = "bandit policy at interval 2: best 0.2 < 0.9 / (1 + 0.2) = 0.75 of run 0"
TRACEBACK = "ValueError: loss is <not> finite"


@dataclass
class SweepWorld:
    """Alice owns the sweep, Bob may read it, Charlie is elsewhere."""

    alice: User
    bob: User
    charlie: User
    sweep: Sweep
    winner: Run
    stopped: Run
    failed: Run
    running: Run
    queued: Run


def make_sweep_world(directory: Path) -> SweepWorld:
    """Make five runs: completed (best, with files), stopped early, failed, running, queued."""
    alice, bob, charlie = (make_user(name) for name in ("alice", "bob", "charlie"))
    workspace = make_workspace(alice)
    make_workspace(bob, role=Membership.Role.READER)
    make_workspace(charlie, name="Elsewhere")
    sweep = make_sweep(
        owner=alice,
        workspace=workspace,
        name="<i>digits</i>",
        max_total_runs=80,
        early_termination={"type": "bandit", "slack_factor": 0.2},
        environment={"OMP_NUM_THREADS": "1"},
    )
    # All of them first: the end of a run lets the controller fill free slots.
    winner = _files_of(start(sweep, directory / "0", lr=1e-05, layers=2))
    stopped = start(sweep, directory / "1", lr=0.2, layers=3)
    failed = start(sweep, directory / "2", lr=0.3, layers=1)
    running = start(sweep, directory / "3", lr=0.4, layers=1)
    queued = make_run(sweep, lr=0.5, layers=2)
    report(winner, [0.5, 0.9, 0.8])
    report(winner, [0.3, 0.2], name="loss <b>")
    end(winner, RunOutcome(exit_code=0))
    report(stopped, [0.1, 0.2])
    request_stop(stopped.pk, end_reason=EndReason.POLICY, reason=BANDIT)
    end(stopped, RunOutcome(signal=15, stopped_by_us=True))
    end(failed, RunOutcome(exit_code=1, error_line=TRACEBACK))
    report(running, [0.4, 0.45])
    runs = [Run.objects.get(pk=r.pk) for r in (winner, stopped, failed, running, queued)]
    return SweepWorld(alice, bob, charlie, Sweep.objects.get(pk=sweep.pk), *runs)


def start(sweep: Sweep, directory: Path | str = "/nowhere", **params: Any) -> Run:
    """Make a run whose process has started in `directory`."""
    claimed = claim(make_run(sweep, **params))
    return start_run(
        claimed.run_id,
        claimed.fence,
        arguments=["python", "train.py", *claimed.arguments],
        directory=str(directory),
        guard_pid=2,
    )


def end(run: Run, outcome: RunOutcome) -> None:
    """End a run as its executor does."""
    if outcome.is_success:
        begin_finalizing(run.pk, run.fence)
    finish_run(run.pk, run.fence, outcome)


def many_runs(sweep: Sweep, values: Sequence[float]) -> None:
    """Add one completed run for each value."""
    for value in values:
        run = start(sweep, lr=value, layers=1)
        report(run, [value])
        end(run, RunOutcome(exit_code=0))


def _files_of(run: Run) -> Run:
    directory = Path(run.directory)
    for name, text in {
        "outputs/model.txt": "weights",
        "outputs/deep/notes.html": "<script>alert(1)</script>",
        "logs/std_log.txt": "".join(f"epoch {i}: <b>fine</b>\n" for i in range(5)),
    }.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return run
