"""Find what fell between: lost runs, lost jobs, overdue sweeps, dead workers.

Every finding is settled by a service that compares before it sets, so a watchdog may run anywhere,
twice, or stop for a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import django_rq
import psutil
from django.conf import settings
from django.utils import timezone
from rq import Worker as RqWorker
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from experiments.models import ComputeTarget, Run, Worker
from experiments.queries import active_sweeps, expired_runs, waiting_runs
from experiments.services.advance import advance_sweep
from experiments.services.check_run import KEPT, remove_old_checks
from experiments.services.compute import remove_silent_workers, remove_worker
from experiments.services.counters import count_tick
from experiments.services.dispatch import CONTROL_QUEUE, get_queue
from experiments.services.recovery import lose_run, mark_not_responding, requeue_run
from experiments.services.retention import look_after
from experiments.states import RUN_LIVE, RUN_TERMINAL, RunState
from runner.closing import save_files, save_reports
from experiments.services.site import begin_planned
from runner.process import is_dead, kill_marked, this_process
from studio.sdk.run import RUN_VARIABLE

logger = logging.getLogger(__name__)

# A job that was queued this long ago and has no trace in Redis was lost.
_QUEUE_GRACE: Final = timedelta(seconds=15)
# A work-horse claims its run within milliseconds; one that has not by now never will.
_CLAIM_GRACE: Final = timedelta(seconds=60)
_WAITING: Final = {JobStatus.QUEUED, JobStatus.DEFERRED, JobStatus.SCHEDULED}
_WORKER_SILENCE: Final = timedelta(seconds=60)


def tick(now: datetime | None = None) -> None:
    """Look at everything once; a fault in one part does not keep the others from being done."""
    moment = now or timezone.now()
    begun = time.monotonic()
    for look in (
        _bury_dead_runs,
        _check_leases,
        _find_lost_jobs,
        _advance_sweeps,
        begin_planned,
        _forget_dead_workers,
        _remove_old_checks,
        look_after,
    ):
        _guarded(look, moment)
    _guarded(lambda _: remove_silent_workers(_WORKER_SILENCE), moment)
    count_tick(time.monotonic() - begun)


def reconcile() -> None:
    """Settle at the start of the studio what its last end left behind on this machine."""
    now = timezone.now()
    for look in (
        _forget_dead_workers,
        _forget_dead_listeners,
        _bury_dead_runs,
        _clean_registries,
        _find_lost_jobs,
    ):
        _guarded(look, now)


def _guarded(look: Callable[[datetime], object], now: datetime) -> None:
    try:
        look(now)
    except StopRequested:  # how RQ ends a worker
        raise
    except Exception:
        logger.exception("watchdog: %s", getattr(look, "__name__", "a part"))


def _bury_dead_runs(now: datetime) -> None:
    """Give up the runs whose executor on this machine is dead, without waiting for their lease."""
    host = this_process().host
    live = Run.objects.filter(state__in=sorted(RUN_LIVE), host=host, executor_pid__isnull=False)
    for run in live:
        if is_dead(run.executor_pid or 0, run.executor_started or 0.0):
            _guarded(partial(_bury, run, host), now)


def _bury(run: Run, host: str, now: datetime) -> None:
    kill_marked(RUN_VARIABLE, run.public_id)
    _guarded(lambda _: save_reports(run), now)
    lose_run(run.pk, reason=f"Its worker process on {host} died.", fence=run.fence)
    _guarded(lambda _: save_files(run), now)


# When a lease was first seen to be over: (lease, monotonic time) by run.
_silent: dict[int, tuple[datetime, float]] = {}


def _check_leases(now: datetime) -> None:
    """Mark the runs whose worker is silent, and give them up when it stays so.

    How long is counted by this process while it looks: after a machine has slept or its clock was
    set, every lease is over at once, and the workers must be given the time to renew them.
    """
    expired = list(expired_runs(now))
    for key in _silent.keys() - {run.pk for run in expired}:
        del _silent[key]
    for run in expired:
        lease = run.lease_expires_at or now
        known, since = _silent.get(run.pk, (None, 0.0))
        if known != lease:
            since = time.monotonic()
            _silent[run.pk] = lease, since
        if time.monotonic() - since >= settings.STUDIO_LEASE_GRACE_SECONDS:
            _give_up(run, now)
        elif run.state not in (RunState.NOT_RESPONDING, RunState.CANCEL_REQUESTED):
            mark_not_responding(run.pk)


def _give_up(run: Run, now: datetime) -> None:
    silence = settings.STUDIO_LEASE_SECONDS + settings.STUDIO_LEASE_GRACE_SECONDS
    reason = f"Its worker {run.worker_name} gave no sign for {silence} s."
    lose_run(run.pk, reason=reason, fence=run.fence, expired_before=now)
    is_lost = Run.objects.filter(pk=run.pk, fence=run.fence, state__in=sorted(RUN_TERMINAL))
    if run.host == this_process().host and is_lost.exists():
        # Its executor hangs: what it looks after must not run beside the repetition.
        kill_marked(RUN_VARIABLE, run.public_id)


def _find_lost_jobs(now: datetime) -> None:
    for run in waiting_runs(now - _QUEUE_GRACE):
        if not _has_job(run, now):
            requeue_run(run.pk)


def _has_job(run: Run, now: datetime) -> bool:
    connection = django_rq.get_connection("default")
    job_id = f"run-{run.pk}-{run.fence}"
    try:
        job = Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
    except NoSuchJobError:
        return False
    status = job.get_status(refresh=False)
    if status == JobStatus.QUEUED:
        return job_id in get_queue(run.sweep.compute.queue_name).job_ids
    if status == JobStatus.STARTED:
        return run.created_at > now - _CLAIM_GRACE
    return status in _WAITING


def _advance_sweeps(now: datetime) -> None:
    for sweep_id in active_sweeps().values_list("pk", flat=True):
        try:
            advance_sweep(sweep_id)
        except Exception:
            logger.exception("watchdog: sweep %s", sweep_id)


def _remove_old_checks(now: datetime) -> None:
    remove_old_checks(now - KEPT)


def _forget_dead_workers(now: datetime) -> None:
    for worker in Worker.objects.filter(host=this_process().host):
        if is_dead(worker.pid, worker.process_started):
            remove_worker(worker.name)


def _forget_dead_listeners(now: datetime) -> None:
    """Take dead workers of this machine out of RQ's list, which believes in them for a minute."""
    host = this_process().host
    for known in RqWorker.all(connection=django_rq.get_connection("default")):
        # RQ keeps no start times; one whose pid was given to another process expires by itself.
        if known.hostname == host and not psutil.pid_exists(known.pid or 0):
            known.register_death()  # type: ignore[no-untyped-call]  # RQ is untyped here


def _clean_registries(now: datetime) -> None:
    names = [target.queue_name for target in ComputeTarget.objects.all()]
    for name in [*names, CONTROL_QUEUE]:
        queue = get_queue(name)
        registry = StartedJobRegistry(queue=queue, serializer=JSONSerializer)
        for job_id in registry.get_job_ids(cleanup=False):
            # The database says what becomes of the run; the job is only its carrier.
            job = _fetch(job_id)
            if job is not None and not _is_live(job):
                job.delete()
        registry.cleanup()


def _is_live(job: Job) -> bool:
    return Run.objects.filter(pk__in=job.args[:1], state__in=sorted(RUN_LIVE)).exists()


def _fetch(job_id: str) -> Job | None:
    connection = django_rq.get_connection("default")
    try:
        return Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
    except NoSuchJobError:
        return None
