"""Put work on RQ queues once the transaction is committed, by dotted name and with ids only.

A job that gets lost does no harm: the watchdog finds the rows that wait and asks again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from uuid import uuid4

import django_rq
from django.db import transaction
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from experiments import log_context
from experiments.models import Run, Sweep
from experiments.models.compute import UNATTENDED
from experiments.services.origins import keep_origin
from experiments.services.slow_queries import note_place

logger = logging.getLogger(__name__)

CONTROL_QUEUE: Final = "control"
EXECUTE_RUN: Final = "runner.jobs.execute_run"
ADVANCE: Final = "runner.jobs.advance"
LOOK_AHEAD: Final = "runner.jobs.look_ahead"
# Long enough that a late look at a failed job is possible, short enough that none piles up.
_FAILURE_TTL: Final = 24 * 3600


def enqueue_run(run: Run) -> None:
    """Ask the compute target of a run's sweep to execute it, after the commit.

    The job id names the attempt; a second job of the same attempt finds the run claimed and ends.
    A simulation looks for its queued runs itself.
    """
    if run.sweep.compute.is_simulated:
        return
    queue = run.sweep.compute.queue_name
    # Somebody waits for a check in front of the form, and there is one a person at most.
    first = run.sweep.kind == Sweep.Kind.CHECK
    _after_commit(queue, EXECUTE_RUN, run.pk, job_id=f"run-{run.pk}-{run.fence}", at_front=first)


def take_run(queue_name: str) -> int | None:
    """Take the next run from a queue, for a slot that executes it at once; None: there is none.

    Whoever dies between this and the claim leaves a waiting run without a job, which the watchdog
    queues again.
    """
    queue = get_queue(queue_name)
    job_id = queue.connection.lpop(queue.key)
    if job_id is None:
        return None
    name = str(job_id, "ascii") if isinstance(job_id, bytes) else str(job_id)
    with queue.connection.pipeline(transaction=False) as pipeline:
        pipeline.hget(Job.key_for(name), "meta")
        pipeline.delete(Job.key_for(name))
        meta, _ = pipeline.execute()
    log_context.note(request_id=_request_id(json.loads(meta) if meta else {}))
    return int(name.split("-")[1])


def enqueue_advance(sweep_id: int) -> None:
    """Ask the controller to look at a sweep, after the commit."""
    cursor, kind = Sweep.objects.values_list("cursor", "compute__kind").get(pk=sweep_id)
    keep_origin(sweep_id)
    if kind in UNATTENDED:
        return
    # The cursor in the id: a job with the id of one that is just ending would be deleted with it.
    _after_commit(CONTROL_QUEUE, ADVANCE, sweep_id, job_id=f"advance-{sweep_id}-{cursor}")


def enqueue_look_ahead(sweep_id: int) -> None:
    """Ask the control worker to work out a sweep's next suggestions, after the commit."""
    # Asked again while the last one ends, and for what the cursor does not count.
    job_id = f"look-ahead-{sweep_id}-{uuid4().hex[:8]}"
    _after_commit(CONTROL_QUEUE, LOOK_AHEAD, sweep_id, job_id=job_id)


@contextmanager
def job_context(job: Job | None, worker: str) -> Iterator[None]:
    """Let the log know for the time of a job what asked for it and who works on it."""
    compute, at, _ = worker.partition("@")
    note_place(job.func_name.rpartition(".")[2] if job else "")
    known = {"worker": worker, "compute": compute if at and compute != CONTROL_QUEUE else ""}
    with log_context.only(request_id=_request_id(job.meta if job else {}), **known):
        yield


def _request_id(meta: Mapping[str, Any]) -> str:
    """Return the request that led to a job, from what the job carries."""
    return str(meta.get("request_id", ""))


def get_queue(name: str) -> Queue:
    """Return the RQ queue of a compute target or of the controller."""
    # Not django_rq.get_queue: it knows only the names in RQ_QUEUES.
    connection = django_rq.get_connection("default")
    return Queue(name, connection=connection, serializer=JSONSerializer)


def _after_commit(
    queue: str, function: str, key: int, *, job_id: str, at_front: bool = False
) -> None:
    order = partial(_enqueue, queue, function, key, job_id=job_id, at_front=at_front)
    transaction.on_commit(order, robust=True)


def _enqueue(queue: str, function: str, key: int, *, job_id: str, at_front: bool) -> None:
    options: dict[str, Any] = {"job_timeout": -1, "result_ttl": 0, "failure_ttl": _FAILURE_TTL}
    if request_id := log_context.request_id():
        options["meta"] = {"request_id": request_id}
    try:
        get_queue(queue).enqueue(function, key, job_id=job_id, at_front=at_front, **options)
    except (RedisError, OSError) as error:
        logger.warning("%s(%s) not queued, the watchdog will: %s", function, key, error)
