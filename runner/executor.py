"""Supervise one run on this machine: claim, prepare, spawn, tail, report, obey, finish.

The row is the truth: every write carries the fence of this attempt, and an attempt that has lost
the run stops its process and changes nothing. Runs inside an RQ work-horse.
"""

from __future__ import annotations

import logging
import time
import zipfile
from dataclasses import replace

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from experiments import log_context
from experiments.services import runs
from experiments.services.outcome import RunOutcome, timeout_sentence
from experiments.services.recovery import lose_run
from experiments.services.storage import run_directory
from experiments.services.termination import SweepCurves, apply_policy
from experiments.services.transitions import RunPlace, StaleState
from experiments.states import EndReason
from experiments.storage.base import StorageError
from runner import workdir
from runner.closing import is_soon_kept, read_outcome
from runner.command import command_of, script_arguments
from runner.compute import load_compute
from runner.compute.base import Handle
from runner.memory import OutOfMemory
from runner.process import kill_marked, this_process
from runner.quotas import DISK_FULL, Quotas
from runner.remote_storage import TransferError
from runner.reports import Pace, ReportFeed
from runner.resume import copy_outputs
from runner.storage import new_storage
from studio.sdk.run import RUN_VARIABLE

logger = logging.getLogger(__name__)

# Walking a large output folder costs; its limit is no precise one.
_SIZE_SECONDS = 5.0
# How long an ended run waits for a database that does not answer before it is left to the watchdog.
_PATIENCE_SECONDS = 120.0
_WORKER_STOPPED = "The worker was stopped while the script ran."


def execute(run_id: int, *, worker_name: str) -> bool:
    """Execute this queued run to its end; False when somebody else took it."""
    me = this_process()
    claimed = runs.claim_run(
        run_id, worker_name=worker_name, host=me.host, pid=me.pid, process_started=me.started
    )
    if claimed is not None:
        carry_out(claimed)
    return claimed is not None


def carry_out(claimed: runs.ClaimedRun) -> None:
    """Take a claimed run to its end."""
    with log_context.bound(
        run_id=claimed.public_id, sweep_id=claimed.sweep_public_id, workspace=claimed.workspace
    ):
        Execution(claimed).run()


class Execution:
    """One attempt at one run."""

    def __init__(self, claimed: runs.ClaimedRun) -> None:
        self.claimed = claimed
        self.workdir = workdir.Workdir(
            run_directory(claimed.sweep_public_id, claimed.number, claimed.fence)
        )
        self.storage = new_storage()
        self.quotas = Quotas(
            self.workdir,
            log_bytes=settings.STUDIO_MAX_LOG_BYTES,
            output_bytes=settings.STUDIO_MAX_OUTPUT_BYTES,
        )
        self.feed = ReportFeed(claimed.run_id, claimed.fence, self.workdir.journal)
        self.process: Handle | None = None
        self.curves: SweepCurves | None = None
        self.memory = OutOfMemory()
        self.killed_for = ""
        self.is_timed_out = False
        self.is_interrupted = False
        self.is_stop_requested = False
        self._is_timeout_stored = self._is_finished = False
        # The command and where its files are, until the row says that it runs.
        self._unnoted: tuple[list[str], str] | None = None
        self._next_poll = 0.0
        self._next_size = 0.0
        self._deadline: float | None = None

    def interrupt(self) -> None:
        """Stop because the worker stops; safe to call from a signal handler."""
        self.is_interrupted = True
        self._request_stop()

    def run(self) -> None:
        """Take the claimed run to its end, whatever happens on the way."""
        active.append(self)
        try:
            if is_stopping():
                self.is_interrupted = True
                self._hand_over(_WORKER_STOPPED)
            elif self._start():
                self._supervise()
                self._finish()
        except StaleState as error:
            logger.warning("run %s left to others: %s", self.claimed.public_id, error)
        except (OperationalError, InterfaceError) as error:
            self._stop_process()
            self._hand_over_later(error)
        except Exception as error:
            logger.exception("run %s: the executor failed", self.claimed.public_id)
            self._give_up(error)
        finally:
            active.remove(self)
            self._stop_process()
            self.storage.close()

    def _start(self) -> bool:
        try:
            snapshot = self.storage.snapshot(self.claimed.snapshot_digest, self._keep_alive)
            self.workdir = workdir.prepare_workdir(self.workdir.path, snapshot)
            directory = self.storage.open(self.claimed, self.workdir, self._keep_alive)
            self._copy_earlier_outputs()
            argv, env = command_of(self.claimed, self.workdir)
            compute = load_compute(self.claimed.compute_kind)
            self.process = compute.start(
                argv,
                env=env,
                workdir=self.workdir,
                grace=settings.STUDIO_STOP_GRACE_SECONDS,
            )
        except (TransferError, StorageError) as error:
            self._hand_over(str(error))
            return False
        except (OSError, zipfile.BadZipFile) as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                self._hand_over(f"No space is left on the disk of its worker: {error}")
                return False
            return self._end_unstarted(str(error))
        if self.claimed.timeout_seconds is not None:
            self._deadline = time.monotonic() + self.claimed.timeout_seconds
        self._unnoted = argv, directory
        try:
            self._note_start()
        except (OperationalError, InterfaceError) as error:
            self._wait_for_database(error)  # the script runs; it is noted with its first reports
        self.storage.follow()
        return True

    def _note_start(self) -> None:
        """Say once that the process runs: a sign of life, and nobody had asked for its end."""
        if self._unnoted is None or self.process is None:
            return
        argv, directory = self._unnoted
        try:
            runs.start_run(
                self.claimed.run_id,
                self.claimed.fence,
                arguments=argv,
                directory=directory,
                guard_pid=self.process.pid,
                script_arguments=script_arguments(self.claimed, self.workdir),
                known=RunPlace(self.claimed.sweep_id, self.claimed.number),
            )
            self._next_poll = time.monotonic() + settings.STUDIO_CANCEL_POLL_SECONDS
        except StaleState:
            # Asked to stop while it was starting, or lost; the supervision finds out which.
            self._next_poll = 0.0
            runs.note_process(
                self.claimed.run_id,
                self.claimed.fence,
                arguments=argv,
                directory=directory,
                guard_pid=self.process.pid,
            )
        self._unnoted = None

    def _copy_earlier_outputs(self) -> None:
        """Put the outputs of the run that this one goes on from where its script can read them."""
        earlier = self.claimed.resume_from
        if earlier is None:
            return
        try:
            if not earlier.directory:
                raise FileNotFoundError
            source = self.storage.earlier_outputs(earlier, self._keep_alive)
            copy_outputs(source, self.workdir.resumed, self._keep_alive)
        except FileNotFoundError as error:
            text = f"the outputs of run {earlier.public_id}, to go on from, are gone"
            raise FileNotFoundError(text) from error

    def _end_unstarted(self, reason: str) -> bool:
        outcome = RunOutcome(bad_command=reason, stopped_by_us=False)
        runs.finish_run(self.claimed.run_id, self.claimed.fence, outcome)
        return False

    def _supervise(self) -> None:
        assert self.process is not None  # noqa: S101 - _start returned True
        if self.is_interrupted:
            self._request_stop()
        pace = Pace(settings.STUDIO_TAIL_SECONDS)
        while not self.process.wait(pace.seconds):
            self._check_limits()
            begun = time.monotonic()
            try:
                self._exchange()
                pace.note(time.monotonic() - begun, is_behind=self.feed.is_behind)
            except (OperationalError, InterfaceError) as error:
                # The journal keeps what comes meanwhile; the lease says how long this may last.
                self._wait_for_database(error)

    def _check_limits(self) -> None:
        """Obey the limits that need no database."""
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline and not self.is_timed_out:
            self.is_timed_out = True
            self._request_stop()
        if now >= self._next_size:
            self._next_size = now + _SIZE_SECONDS
            self.quotas.cut_log()
            self.killed_for = self.killed_for or self.quotas.excess()
            if self.killed_for:
                self._request_stop()

    def _exchange(self) -> None:
        """Tell the database what is new, and hear from it what is wanted."""
        self._note_start()
        if self.feed.flush().has_primary:
            self._judge()
        self._keep_alive()
        self._store_timeout()

    def _store_timeout(self) -> None:
        if self.is_timed_out and not self._is_timeout_stored:
            runs.request_stop(
                self.claimed.run_id,
                end_reason=EndReason.RUN_TIMEOUT,
                reason=timeout_sentence(self.claimed.spec.run_timeout_minutes),
            )
            self._is_timeout_stored = True

    def _keep_alive(self) -> None:
        """Renew the lease when it is time to, and obey a request to stop."""
        now = time.monotonic()
        if now < self._next_poll:
            return
        self._next_poll = now + settings.STUDIO_CANCEL_POLL_SECONDS
        order = runs.renew_lease(self.claimed.run_id, self.claimed.fence)
        if order.lost:
            raise StaleState(f"run {self.claimed.public_id} is {order.state}")
        if order.is_cancel_requested:
            self._request_stop()

    def _judge(self) -> None:
        if self.claimed.spec.early_termination_config is None:
            return
        if self.curves is None:
            self.curves = SweepCurves(self.claimed.sweep_id)
        decision = apply_policy(
            self.claimed.run_id, self.claimed.fence, curves=self.curves, spec=self.claimed.spec
        )
        if decision is not None and decision.stop:
            self._request_stop()

    def _request_stop(self) -> None:
        if self.process is not None:
            self.is_stop_requested = True
            self.process.request_stop()

    def _wait_for_database(self, error: Exception) -> None:
        logger.warning("run %s: database: %s", self.claimed.public_id, error)
        close_old_connections()
        time.sleep(1)

    def _finish(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self._store_end()
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() > deadline:
                    raise
                self._wait_for_database(error)

    def _store_end(self) -> None:
        """Store everything about the end; done again from the top when the database was away."""
        if self.process is None or self.process.exit_record() is None:
            kill_marked(RUN_VARIABLE, self.claimed.public_id)  # a guard that told its end left none
            self._next_poll = 0.0
        self._note_start()
        self.feed.store_all()
        self._keep_alive()
        outcome = self._outcome()
        if outcome is None:
            return self._hand_over("The guard of its process was killed.")
        if self.is_interrupted and outcome.stopped_by_us:
            return self._hand_over(_WORKER_STOPPED)
        if outcome.stopped_by_us:
            self._store_timeout()
        if not (outcome.is_plain and is_soon_kept(self.workdir)):
            runs.begin_finalizing(self.claimed.run_id, self.claimed.fence)
        self.quotas.cut_log()
        output_bytes = self.storage.keep(self._keep_alive)
        log_bytes = self.workdir.std_log.stat().st_size
        outcome = replace(outcome, log_bytes=log_bytes, output_bytes=output_bytes)
        runs.finish_run(self.claimed.run_id, self.claimed.fence, outcome)
        self._is_finished = True
        return None

    def _outcome(self) -> RunOutcome | None:
        """Tell how the process ended; None when nobody knows and nobody asked for its end."""
        record = self.process.exit_record() if self.process else None
        if record is None:
            if not self.is_stop_requested:
                return None
            return RunOutcome(
                stopped_by_us=True, timed_out=self.is_timed_out, killed_for=self.killed_for
            )
        return read_outcome(
            record,
            self.workdir,
            is_timed_out=self.is_timed_out,
            killed_for=self.killed_for,
            memory=self.memory,
        )

    def _hand_over(self, reason: str) -> None:
        """Give the run up for a fault that is not its own; it is repeated elsewhere or later."""
        lose_run(self.claimed.run_id, reason=reason, fence=self.claimed.fence)
        if self.workdir.code.exists():
            self.storage.hurry()
            try:
                self.storage.keep(lambda: None)
            except OSError as error:
                # A worker of this machine sends them later.
                logger.warning("run %s: files are not kept: %s", self.claimed.public_id, error)

    def _hand_over_later(self, error: Exception) -> None:
        """Give the run up when the database is back; else the watchdog does."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self._wait_for_database(error)
            try:
                return self._hand_over("The database was away.")
            except (OperationalError, InterfaceError) as again:
                error = again
        logger.error("run %s is left to the watchdog", self.claimed.public_id)

    def _stop_process(self) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        process.request_stop()
        if not process.wait(settings.STUDIO_STOP_GRACE_SECONDS + 5):
            kill_marked(RUN_VARIABLE, self.claimed.public_id)
            process.wait(1)
        process.close()
        self._save_rest()
        if not self._is_finished:
            workdir.keep_files(self.workdir)

    def _save_rest(self) -> None:
        """Store what the script reported until it was gone, whoever has the run by now."""
        try:
            self.feed.drain(is_packed=self._is_finished)
        except (StaleState, OperationalError, InterfaceError) as error:
            logger.warning("run %s: last reports: %s", self.claimed.public_id, error)

    def _give_up(self, error: Exception) -> None:
        self._stop_process()
        text = f"The executor failed: {type(error).__name__}: {error}"
        try:
            outcome = RunOutcome(killed_for=text)
            runs.finish_run(self.claimed.run_id, self.claimed.fence, outcome)
        except Exception:
            logger.exception("run %s is left to the watchdog", self.claimed.public_id)


# The executions of this work-horse, for its signal handler.
active: list[Execution] = []
_stop: list[bool] = []


def stop_all() -> None:
    """Interrupt what this process executes; what it would claim after this is handed over."""
    _stop.append(True)
    for execution in active:
        execution.interrupt()


def is_stopping() -> bool:
    """Tell whether `stop_all` was called."""
    return bool(_stop)
