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
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from experiments.models import ComputeTarget, Run, Worker
from experiments.queries import active_sweeps, expired_runs
from experiments.queries.standing import asking_targets
from experiments.queries.watch import if_any
from experiments.services.advance import advance_sweep
from experiments.services.check_run import KEPT, remove_old_checks
from experiments.services.compute import remove_silent_workers, remove_worker
from experiments.services.counters import count_tick
from experiments.services.dispatch import CONTROL_QUEUE, ask_for_slots, get_queue, is_asked
from experiments.services.quotas import measure_storage
from experiments.services.recovery import lose_run, mark_not_responding
from experiments.services.retention import look_after
from experiments.services.site import begin_planned
from experiments.states import RUN_LIVE, RUN_TERMINAL, RunState
from runner.closing import save_files, save_reports
from runner.process import is_dead, kill_marked, this_process
from studio.sdk.run import RUN_VARIABLE

logger = logging.getLogger(__name__)

_WORKER_SILENCE: Final = timedelta(seconds=60)


def tick(now: datetime | None = None) -> None:
    """Look at everything once; a fault in one part does not keep the others from being done."""
    moment = now or timezone.now()
    begun = time.monotonic()
    for look in (
        _bury_dead_runs,
        _check_leases,
        measure_storage,
        _advance_sweeps,
        _wake_slots,
        _forget_dead_workers,
        _remove_old_checks,
        begin_planned,
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
        _wake_slots,
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
    for run in if_any(live):
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
    expired = list(if_any(expired_runs(now)))
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


def _wake_slots(now: datetime) -> None:
    """Ask for slots where runs may start and nothing asks: a job was lost, a limit is over."""
    for target in asking_targets(now):
        if not is_asked(ComputeTarget(pk=target.pk).queue_name):
            ask_for_slots(target.pk, target.slots)


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
    held = Run.objects.filter(worker_name=job.worker_name or "", state__in=sorted(RUN_LIVE))
    return bool(job.worker_name) and held.exists()


def _fetch(job_id: str) -> Job | None:
    connection = django_rq.get_connection("default")
    try:
        return Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
    except NoSuchJobError:
        return None
