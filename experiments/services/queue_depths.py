"""What waits in the queues of Redis and what failed there: two questions, however many queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import redis
from rq.job import Job
from rq.queue import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from experiments import clock

_FAILED: Final = FailedJobRegistry.key_template


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The jobs of one queue, and for how many seconds the oldest has waited."""

    name: str
    jobs: int
    failed: int
    oldest: float


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that RQ gave up: what it was to do, for what, and the last line of why."""

    job_id: str
    queue: str
    function: str
    arguments: str
    reason: str
    ended: datetime | None


def queue_depths(server: redis.Redis, queues: Mapping[str, str]) -> list[QueueDepth]:
    """Return the depth of each queue; `queues` is what each is called, and its name in RQ.

    Raises:
        RedisError: the server does not answer.
    """
    with server.pipeline(transaction=False) as pipeline:
        for queue in queues.values():
            key = f"{Queue.redis_queue_namespace_prefix}{queue}"
            pipeline.llen(key)
            pipeline.zcard(_FAILED.format(queue))
            pipeline.lindex(key, -1)
            pipeline.lindex(key, 0)
        found: list[Any] = pipeline.execute()
        # Something may have been put in front: the older of both ends.
        ends = [*found[2::4], *found[3::4]]
        for job_id in ends:
            pipeline.hget(Job.key_for(job_id.decode() if job_id else ""), "enqueued_at")
        ages = [_age(moment) for moment in pipeline.execute()]
    lasts, firsts = ages[: len(queues)], ages[len(queues) :]
    rows = zip(queues, found[::4], found[1::4], lasts, firsts, strict=True)
    return [QueueDepth(name, jobs, failed, max(a, b)) for name, jobs, failed, a, b in rows]


def failed_jobs(server: redis.Redis, queues: Sequence[str], most: int) -> list[FailedJob]:
    """Return the jobs that failed last, the newest first; at most `most` of all queues.

    Raises:
        RedisError: the server does not answer.
    """
    with server.pipeline(transaction=False) as pipeline:
        for queue in queues:
            pipeline.zrange(_FAILED.format(queue), 0, most - 1, desc=True, withscores=True)
        found: list[Any] = pipeline.execute()
    # The score is when RQ will forget it; all are kept for as long.
    scored = [(score, job_id.decode()) for rows in found for job_id, score in rows]
    names = [job_id for _, job_id in sorted(scored, reverse=True)[:most]]
    jobs = Job.fetch_many(names, connection=server, serializer=JSONSerializer)
    return [_failed(job) for job in jobs if job is not None]


def _failed(job: Job) -> FailedJob:
    result = job.latest_result()
    text = (result.exc_string if result is not None else "") or ""
    lines = [line for line in text.splitlines() if line.strip()]
    return FailedJob(
        job_id=job.id,
        queue=job.origin,
        function=(job.func_name or "").rpartition(".")[2],
        arguments=", ".join(str(argument) for argument in job.args),
        reason=lines[-1][:300] if lines else "",
        ended=_aware(job.ended_at),
    )


def _age(moment: bytes | None) -> float:
    if not moment:
        return 0.0
    queued = _aware(datetime.fromisoformat(moment.decode()))
    return max(0.0, (clock.now() - queued).total_seconds()) if queued else 0.0


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
