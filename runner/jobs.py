"""Entry points of RQ jobs; they take ids only."""

from __future__ import annotations

from rq import get_current_job

from experiments.services import look_ahead as ahead
from experiments.services.advance import advance_sweep
from runner import executor


def execute_run(run_id: int) -> None:
    """Execute one run to its end, and others after it as long as the worker has any."""
    job = get_current_job()
    name = (job.worker_name if job else "") or "direct"
    following: int | None = run_id
    while following is not None:
        executor.execute(following, worker_name=name)
        following = executor.next_run()


def advance(sweep_id: int) -> None:
    """Let the controller look at a sweep."""
    advance_sweep(sweep_id)


def look_ahead(sweep_id: int) -> None:
    """Work out the next suggestions of a sweep before a run ends."""
    ahead.look_ahead(sweep_id)
