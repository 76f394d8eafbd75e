"""RQ workers of the studio: one per slot of a compute target, and one that controls.

A slot forks a work-horse per run, which dies with its worker. The controlling worker executes the
controller's jobs in its own process and ticks the watchdog in between.
"""

from __future__ import annotations

import logging
import mmap
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, connections
from redis.exceptions import RedisError
from rq import SimpleWorker, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue

from experiments.queries.site_settings import site
from experiments.services.compute import heartbeat_worker, is_draining
from experiments.services.dispatch import drop_job, forget_request, renew_job
from experiments.services.runs import next_sweep
from runner import executor, filling
from runner.interpreter import InterpreterWatch
from runner.leftovers import settle_leftovers
from runner.preload import preload
from runner.process import adopt_orphans, die_with_parent, has_children, kill_descendants
from runner.quotas import free_bytes
from runner.storage import is_remote

logger = logging.getLogger(__name__)

# A waiting worker wakes up every WORKER_TTL - 15 seconds and gives its sign of life.
WORKER_TTL: Final = 20
MONITORING_SECONDS: Final = 5
MAINTENANCE_SECONDS: Final = 15
_MARGIN_SECONDS: Final = 55
_DRAIN_LOOK_SECONDS: Final = 2.0
# A work-horse goes on with the next run when the one before was this short, for so long at most:
# a new one costs more than such a run, and none may gather the memory of a whole sweep.
_SHORT_RUN_SECONDS: Final = 10.0
_HORSE_SECONDS: Final = 60.0


class SlotWorker(Worker):
    """Executes runs, one at a time, each in a forked work-horse."""

    # RQ waits up to a minute between two attempts to reach Redis.
    max_connection_wait_time = 2.0
    # Whether the first request to stop lets the run go on to its end; the second one does not.
    drains = False
    # Tells the database who this is; told again when it has forgotten.
    register: Callable[[], object] | None = None
    interpreter: InterpreterWatch | None = None
    _waits_for_disk = False
    _next_sign = 0.0
    # Shared with the work-horse: not 0 when it must not take another run.
    _is_last: mmap.mmap | None = None
    _run_begun = _horse_begun = 0.0

    def get_heartbeat_ttl(self, job: Job) -> int:
        """Return how long RQ keeps a job without a sign; the database says what becomes of it."""
        return MONITORING_SECONDS + _MARGIN_SECONDS

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """Give RQ and the database a sign of life; a database that is away ends no worker."""
        super().heartbeat(*args, **kwargs)
        now = time.monotonic()
        if self.is_horse or now < self._next_sign:
            return
        self._next_sign = now + settings.STUDIO_HEARTBEAT_SECONDS / 2
        try:
            close_old_connections()
            if not heartbeat_worker(self.name) and self.register is not None:
                self.register()
            if self.interpreter is not None:
                self.interpreter.look()
        except DatabaseError as error:
            logger.warning("worker %s: no sign of life in the database: %s", self.name, error)
        finally:
            # A server has few connections: a slot that waits, or has a work-horse, keeps none. Of
            # a file there are as many as one likes, and to open one takes longer than the sign.
            if connection.vendor != "sqlite":
                connections.close_all()

    # A work-horse dies with its worker, so a worker that waits for one must not end because of
    # Redis: the run itself goes on without.

    def maintain_heartbeats(self, job: Job) -> None:
        """Keep the job alive in Redis, when there is one."""
        with self._without_redis():
            super().maintain_heartbeats(job)

    def set_current_job_working_time(self, *args: Any, **kwargs: Any) -> None:
        """Tell Redis how long the job takes, when there is one."""
        with self._without_redis():
            super().set_current_job_working_time(*args, **kwargs)

    @contextmanager
    def _without_redis(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            logger.warning("worker %s: no sign of life in Redis: %s", self.name, error)

    def dequeue_job_and_maintain_ttl(self, *args: Any, **kwargs: Any) -> tuple[Job, Queue] | None:
        """Take the next job; none while nothing may start here or the disk is full."""
        while self._is_closed() or self._is_disk_full():
            self.heartbeat()
            time.sleep(_DRAIN_LOOK_SECONDS)
        connections.close_all()
        return super().dequeue_job_and_maintain_ttl(*args, **kwargs)

    def _is_closed(self) -> bool:
        """Tell whether the target is being drained, or the studio in maintenance."""
        try:
            close_old_connections()
            return site().maintenance or is_draining(self.name)
        except DatabaseError as error:
            logger.warning("worker %s: database: %s", self.name, error)
            return False

    def _is_disk_full(self) -> bool:
        free = free_bytes(Path(settings.STUDIO_STORAGE_ROOT))
        is_full = free < settings.STUDIO_MIN_FREE_BYTES
        if is_full != self._waits_for_disk:
            self._waits_for_disk = is_full
            what = "takes no runs: only" if is_full else "takes runs again:"
            logger.warning("worker %s %s %d MB of the disk are free", self.name, what, free / 1e6)
        return is_full

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Execute the job in a work-horse; what one leaves behind on its death is settled."""
        renew_job(job, queue)
        if not self._prepare(job):
            with self._without_redis():
                drop_job(job, queue)
            return
        super().execute_job(job, queue)
        if is_remote():
            settle_leftovers()

    def _prepare(self, job: Job) -> bool:
        """Load what the next run will need; tell whether there may be one.

        Jobs are left over where runs were canceled, and where their workspace may start none now.
        """
        try:
            sweep_id = next_sweep(*job.args)
            if sweep_id is None:
                return False
            preload(sweep_id)
        except Exception:
            # It is the run's own executor that has to fail of it, and to say so.
            logger.exception("worker %s: nothing loaded for %s", self.name, job.id)
        finally:
            connections.close_all()
        return True

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork with everything loaded; database connections are never shared."""
        connections.close_all()
        self._is_last = self._is_last or mmap.mmap(-1, 1)
        self._is_last[0] = bool(self._stop_requested)
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Execute the job in the work-horse, which must not outlive its worker."""
        die_with_parent(self.pid or 0)
        adopt_orphans()
        self._run_begun = self._horse_begun = time.monotonic()
        filling.goes_on = self._goes_on
        super().main_work_horse(job, queue)

    def _goes_on(self) -> bool:
        """Tell whether this work-horse looks for another run; else it ends, the worker goes on."""
        begun, now = self._run_begun, time.monotonic()
        self._run_begun = now
        if now - begun > _SHORT_RUN_SECONDS or now - self._horse_begun > _HORSE_SECONDS:
            return False
        # Something may be left of the last run: it ends with this process.
        if self._is_told_to_end() or self._is_disk_full() or has_children():
            return False
        with self._without_redis():
            forget_request(self.queues[0].name)
        return True

    def _is_told_to_end(self) -> bool:
        return executor.is_stopping() or self._is_last is None or bool(self._is_last[0])

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Execute the job; whatever its script left behind ends with it."""
        try:
            return super().perform_job(job, queue)
        finally:
            kill_descendants()

    def setup_work_horse_signals(self) -> None:
        """Let the executor end its script in order when the worker is stopped."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: executor.stop_all())

    def handle_warm_shutdown_request(self) -> None:
        """Stop after handing over the run, or after its end for a worker that drains."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ is untyped
        if self._is_last is not None:
            self._is_last[0] = 1
        if not self.drains:
            self._hand_over()

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """Hand the run over at the second request, where the first one let it go on."""
        if self.drains:
            self.drains = False
            self._hand_over()
        else:
            super().request_force_stop(signum, frame)

    def _hand_over(self) -> None:
        if self.horse_pid:
            try:
                os.kill(self.horse_pid, signal.SIGTERM)
            except ProcessLookupError:
                return


class ControlWorker(SimpleWorker):
    """Executes the controller's jobs in this process and calls `tick` every few seconds."""

    max_connection_wait_time = 2.0
    tick: Callable[[], None]
    tick_seconds: float
    _next_tick = 0.0
    _is_ticking = False

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """Tick when it is time, with Redis or without; then give RQ a sign of life."""
        now = time.monotonic()
        if now >= self._next_tick:
            self._next_tick = now + self.tick_seconds
            self._tick()
        super().heartbeat(*args, **kwargs)

    def _tick(self) -> None:
        self._is_ticking = True
        try:
            close_old_connections()
            self.tick()
        finally:
            self._is_ticking = False
        if self._stop_requested:
            raise StopRequested

    def _shutdown(self) -> None:
        """Stop now, or after the tick: an exception out of nowhere could end up in a sampler."""
        if self._is_ticking:
            self._stop_requested = True
            return
        super()._shutdown()  # type: ignore[no-untyped-call]  # RQ is untyped

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Execute in this process with a database connection that works."""
        close_old_connections()
        super().execute_job(job, queue)
