"""Put work on RQ queues once the transaction is committed, by dotted name and with ids only.

A job that gets lost does no harm: the watchdog finds the rows that wait and asks again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
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
from experiments.models import ComputeTarget, Run, Sweep
from experiments.models.compute import UNATTENDED
from experiments.services.origins import keep_origin
from experiments.services.slow_queries import note_place

logger = logging.getLogger(__name__)

CONTROL_QUEUE: Final = "control"
FILL_SLOT: Final = "runner.jobs.fill_slot"
ADVANCE: Final = "runner.jobs.advance"
LOOK_AHEAD: Final = "runner.jobs.look_ahead"
# What jobs called that named a run, before slots took what is next.
_EXECUTE_RUN: Final = "runner.jobs.execute_run"
# Long enough that a late look at a failed job is possible, short enough that none piles up.
_FAILURE_TTL: Final = 24 * 3600
# The queues of which this process keeps a request back, and the request; see `own_request`.
_kept: Final[dict[str, Callable[[], None] | None]] = {}


def enqueue_run(run: Run) -> None:
    """Ask the compute target of a run's sweep for a slot, after the commit.

    The job says only that a slot is wanted: which run it takes is decided when it is free. A
    simulation looks for its queued runs itself.
    """
    if not run.sweep.compute.is_simulated:
        ask_for_slots(run.sweep.compute_id)


def ask_for_slots(target_id: int, count: int = 1) -> None:
    """Let so many slots of a target look for a run, after the commit; one too many does no harm."""
    name = ComputeTarget(pk=target_id).queue_name
    for _ in range(count):
        # A name of its own: a job with the name of one that is just ending would go with it.
        job_id = f"slot-{target_id}-{uuid4().hex[:12]}"
        _after_commit(name, FILL_SLOT, target_id, job_id=job_id)


@contextmanager
def own_request(target_id: int) -> Iterator[None]:
    """Keep the first request for a slot of a target back, for a slot that may answer it itself.

    It does so with `forget_request`; otherwise the request is made in the end. Whoever dies in
    between leaves a waiting run without a job, which the watchdog notices.
    """
    name = ComputeTarget(pk=target_id).queue_name
    _kept[name] = None
    try:
        yield
    finally:
        if (request := _kept.pop(name)) is not None:
            request()


def forget_request(queue_name: str) -> None:
    """Take one job from a queue for a slot that looks for a run without it, if there is one.

    Whoever dies between this and the claim leaves a waiting run without a job, which the watchdog
    notices.
    """
    if _kept.get(queue_name) is not None:
        _kept[queue_name] = None
        return
    queue = get_queue(queue_name)
    job_id = queue.connection.lpop(queue.key)
    if job_id is not None:
        name = str(job_id, "ascii") if isinstance(job_id, bytes) else str(job_id)
        queue.connection.delete(Job.key_for(name))


def is_asked(queue_name: str) -> bool:
    """Tell whether a queue holds any job, so that the next free slot will look."""
    queue = get_queue(queue_name)
    return bool(queue.connection.llen(queue.key))


def renew_job(job: Job, queue: Queue) -> None:
    """Let a job that an older version left in a queue ask for what jobs ask for now."""
    if job.func_name == _EXECUTE_RUN:
        target = int(queue.name.rpartition("-")[2])
        job.func_name, job.args = FILL_SLOT, [target]


def drop_job(job: Job, queue: Queue) -> None:
    """Forget a job that was taken from its queue and has nothing to do."""
    with queue.connection.pipeline() as pipeline:
        # Where RQ keeps what was taken until somebody begins with it.
        pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
        job.delete(pipeline=pipeline, remove_from_queue=False)
        pipeline.execute()


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
    note_place((job.func_name or "").rpartition(".")[2] if job else "")
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


def _after_commit(queue: str, function: str, key: int, *, job_id: str) -> None:
    order = partial(_enqueue_or_keep, queue, function, key, job_id=job_id)
    transaction.on_commit(order, robust=True)


def _enqueue_or_keep(queue: str, function: str, key: int, *, job_id: str) -> None:
    order = partial(_enqueue, queue, function, key, job_id=job_id)
    if queue in _kept and _kept[queue] is None:
        _kept[queue] = order
    else:
        order()


def _enqueue(queue: str, function: str, key: int, *, job_id: str) -> None:
    options: dict[str, Any] = {"job_timeout": -1, "result_ttl": 0, "failure_ttl": _FAILURE_TTL}
    # A slot works for whom it turns out to; the controller for whoever asked.
    if function != FILL_SLOT and (request_id := log_context.request_id()):
        options["meta"] = {"request_id": request_id}
    try:
        get_queue(queue).enqueue(function, key, job_id=job_id, **options)
    except (RedisError, OSError) as error:
        logger.warning("%s(%s) not queued, the watchdog will: %s", function, key, error)
