"""Fill one slot of a compute target: run after run, each chosen at the moment the slot is free."""

from __future__ import annotations

from collections.abc import Callable

from experiments import log_context
from experiments.services import runs
from experiments.services.dispatch import own_request
from experiments.services.origins import origin_of
from runner import executor
from runner.process import this_process

# Whether this work-horse looks for another run after one; set by the worker that forked it.
goes_on: Callable[[], bool] = lambda: False  # noqa: E731 - a default


def fill_slot(target_id: int, *, worker_name: str) -> None:
    """Execute the run that is next on a target, and others after it as long as the worker may."""
    me = this_process()
    who = runs.Executor(worker_name, me.host, me.pid, me.started)
    while (claimed := runs.claim_next(target_id, who)) is not None:
        with own_request(target_id):
            with log_context.bound(request_id=origin_of(claimed.sweep_id)):
                executor.carry_out(claimed)
            if not goes_on():
                return
