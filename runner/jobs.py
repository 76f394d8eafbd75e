"""Entry points of RQ jobs; they take ids only."""

from __future__ import annotations

from contextlib import AbstractContextManager

from rq import get_current_job

from experiments.services import counters
from experiments.services import look_ahead as ahead
from experiments.services.advance import advance_sweep
from experiments.services.dispatch import job_context
from runner import filling


def fill_slot(target_id: int) -> None:
    """Execute the run that is next on a target, and others after it as long as the worker may."""
    job = get_current_job()
    name = (job.worker_name if job else "") or "direct"
    with job_context(job, name):
        filling.fill_slot(target_id, worker_name=name)
    counters.flush()


def advance(sweep_id: int) -> None:
    """Let the controller look at a sweep."""
    with _control_context():
        advance_sweep(sweep_id)


def look_ahead(sweep_id: int) -> None:
    """Work out the next suggestions of a sweep before a run ends."""
    with _control_context():
        ahead.look_ahead(sweep_id)


def _control_context() -> AbstractContextManager[None]:
    job = get_current_job()
    return job_context(job, (job.worker_name if job else "") or "direct")
