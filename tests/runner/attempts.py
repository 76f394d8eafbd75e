"""Sweeps of one run and their executor, in this process, for the tests of the runner."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from django.db import connection

from experiments.models import Run
from experiments.services import sweeps
from experiments.services.advance import advance_sweep
from runner.executor import execute
from tests.factories import make_compute, make_user, make_workspace

HEAD = "from studio.sdk import Run\nrun = Run.get_context()\n"
SPEC = {
    "name": "tried",
    "script": "train.py",
    "search_space": {"rate": "choice(0.25)", "optimizer": "choice('adam w')"},
    "sampling": "grid",
    "primary_metric": {"name": "accuracy", "goal": "maximize"},
    "max_total_runs": 1,
}


def queue(tmp_path: Path, code: str, **spec) -> Run:
    """Submit a sweep of one run and return the run, which waits for a worker."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text(code)
    make_compute()
    alice = make_user(is_superuser=True)
    sweep, _ = sweeps.submit_spec(
        {**SPEC, **spec, "source_directory": str(folder)},
        owner=alice,
        workspace=make_workspace(alice),
        allow_server_paths=True,
    )
    advance_sweep(sweep.pk)
    return Run.objects.get(sweep=sweep, number=0)


def run_to_end(run: Run) -> Run:
    assert execute(run.pk, worker_name="test")
    return Run.objects.get(pk=run.pk)


def in_background(run: Run) -> threading.Thread:
    def work() -> None:
        try:
            execute(run.pk, worker_name="test")
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_for(run: Run, state: str, seconds: float = 20) -> Run:
    deadline = time.monotonic() + seconds
    while True:
        found = Run.objects.get(pk=run.pk)
        if found.state == state:
            return found
        assert time.monotonic() < deadline, (found.state, found.reason)
        time.sleep(0.05)


def log_of(run: Run) -> str:
    return (Path(run.directory) / "logs" / "std_log.txt").read_text()
