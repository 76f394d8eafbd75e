"""Carry a sweep of simulated runs through the real controller, services and policies, on a virtual
clock: an event queue instead of processes, hours in seconds.

Nothing sleeps and nothing runs at the same time, so the same script and seed give the same sweep.
"""

from __future__ import annotations

import heapq
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User

from experiments import clock
from experiments.models import Run, Snapshot, Sweep, Workspace
from experiments.models.compute import SIMULATED
from experiments.services.advance import advance_sweep
from experiments.services.compute import simulated_target
from experiments.services.metrics import Report, record_reports
from experiments.services.outcome import RunOutcome, timeout_sentence
from experiments.services.recovery import lose_run, mark_not_responding
from experiments.services.runs import (
    ClaimedRun,
    begin_finalizing,
    claim_run,
    finish_run,
    renew_lease,
    start_run,
)
from experiments.services.stopping import request_stop
from experiments.services.sweeps import create_sweep
from experiments.services.termination import SweepCurves, apply_policy
from experiments.services.transitions import StaleState
from experiments.spec import SweepSpec
from experiments.states import EndReason, RunState
from runner.compute.simulated import Script, Trace
from runner.process import this_process

# Of events at the same moment those of the studio come first, then those of the runs by number.
_STUDIO: Final = -1
_COMMAND: Final = ["simulated"]


@dataclass(slots=True)
class Attempt:
    """One attempt at a run: what it does, how many reports it has made and when it began to."""

    claimed: ClaimedRun
    trace: Trace
    steps: Iterator[float] = field(init=False)
    began: float = 0.0
    done: int = 0
    renewed: float = 0.0
    is_silent: bool = False
    is_over: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every report was made."""
        return self.done >= len(self.trace.values)

    def time_of(self, reports: int) -> float:
        """Return when the attempt has made so many reports."""
        return self.began + reports * self.trace.seconds_per_report


def create_simulated(
    spec: SweepSpec, *, owner: User, workspace: Workspace, snapshot: Snapshot, begin: datetime
) -> Sweep:
    """Create a sweep for a simulation, tagged so that nobody takes it for a real one."""
    target = simulated_target()
    tags = {**spec.tags, SIMULATED: "true"}
    marked = spec.model_copy(update={"tags": tags, "compute": target.name})
    with clock.running_on(lambda: begin):
        return create_sweep(
            marked, owner=owner, workspace=workspace, snapshot=snapshot, target=target
        )


class Simulation:
    """One sweep on simulated compute with `slots` workers, from `begin` on.

    `reports_per_flush`: how many reports of a run are stored, and judged, at once. With more than
    one, a policy sees the points of other runs as late as their flushes come.
    """

    def __init__(
        self,
        sweep_id: int,
        script: Script,
        *,
        begin: datetime,
        slots: int = 100,
        reports_per_flush: int = 1,
    ) -> None:
        self._sweep_id = sweep_id
        self._script = script
        self._begin = begin
        self._slots = slots
        self._per_flush = reports_per_flush
        self._time = 0.0
        self._events: list[tuple[float, int, int, Callable[[], object]]] = []
        self._order = count()
        self._live: dict[int, Attempt] = {}
        self._attempts: dict[int, int] = {}
        self._curves: SweepCurves | None = None
        self._deadline: datetime | None = None
        self._me = this_process()

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._begin + timedelta(seconds=self._time)

    def at(self, seconds: float, act: Callable[[], object]) -> None:
        """Let something happen `seconds` after the beginning, such as a person's request."""

        def act_and_look() -> None:
            act()
            self._look()

        self._push(seconds, _STUDIO, act_and_look)

    def run(self) -> float:
        """Carry the sweep on until nothing is left to happen; return the virtual seconds.

        A sweep that is paused stays so, unless its deadline or an act of `at` ends that.
        """
        with clock.running_on(self.now):
            self._look()
            while self._events:
                self._time, _, _, act = heapq.heappop(self._events)
                act()
        return self._time

    def _push(self, time: float, order: int, act: Callable[[], object]) -> None:
        heapq.heappush(self._events, (max(time, self._time), order, next(self._order), act))

    def _look(self) -> None:
        """Do what the watchdog and the workers do at their next look."""
        advance_sweep(self._sweep_id)
        self._obey()
        self._take_runs()
        deadline = Sweep.objects.values_list("deadline_at", flat=True).get(pk=self._sweep_id)
        if deadline is not None and deadline != self._deadline:
            self._deadline = deadline
            self._push((deadline - self._begin).total_seconds(), _STUDIO, self._tick)

    def _tick(self) -> None:
        # A sweep that has ended leaves its deadline behind: time does not go on for it.
        if Sweep.objects.values_list("ended_at", flat=True).get(pk=self._sweep_id) is None:
            self._look()

    def _obey(self) -> None:
        """End the runs that somebody asked to stop."""
        asked = Run.objects.filter(sweep=self._sweep_id, state=RunState.CANCEL_REQUESTED)
        for pk in asked.order_by("number").values_list("pk", flat=True):
            attempt = self._live.get(pk)
            if attempt is not None and not attempt.is_silent:
                self._stop(attempt)
        self._take_runs()

    def _take_runs(self) -> None:
        free = self._slots - len(self._live)
        if free <= 0:
            return
        queued = Run.objects.filter(sweep=self._sweep_id, state=RunState.QUEUED).order_by("number")
        for pk, earlier in list(queued.values_list("pk", "retry_of_id")[:free]):
            self._attempts[pk] = self._attempts.get(earlier or 0, 0) + 1
            self._claim(pk)

    def _claim(self, run_id: int) -> None:
        claimed = claim_run(
            run_id,
            worker_name="simulated",
            host=self._me.host,
            pid=self._me.pid,
            process_started=self._me.started,
        )
        if claimed is None:
            return
        trace = self._script(claimed.params, claimed.number, self._attempts[run_id])
        attempt = Attempt(claimed, trace, renewed=self._time)
        attempt.steps = self._life(attempt)
        self._live[run_id] = attempt
        self._go_on(attempt)

    def _go_on(self, attempt: Attempt) -> None:
        """Let an attempt do everything that happens now, and come back at its next moment."""
        if attempt.is_over:
            return
        try:
            for moment in attempt.steps:
                if moment > self._time:
                    number = attempt.claimed.number
                    self._push(moment, number, lambda: self._go_on(attempt))
                    return
        except StaleState:
            pass  # it owns the run no longer
        self._leave(attempt)
        self._take_runs()

    def _leave(self, attempt: Attempt) -> None:
        attempt.is_over = True
        self._live.pop(attempt.claimed.run_id, None)

    def _life(self, attempt: Attempt) -> Iterator[float]:
        """Live through one attempt; yields the moments at which something happens next."""
        claimed, trace = attempt.claimed, attempt.trace
        yield self._time + trace.startup_seconds
        start_run(claimed.run_id, claimed.fence, arguments=_COMMAND, directory="")
        attempt.began = attempt.renewed = self._time
        if claimed.timeout_seconds is not None:
            end = self._time + claimed.timeout_seconds
            self._push(end, claimed.number, lambda: self._time_out(attempt))
        while not attempt.is_whole:
            yield attempt.time_of(min(attempt.done + self._step(attempt), len(trace.values)))
            if self._report(attempt):
                return self._end(attempt, _STOPPED)
            if attempt.done == trace.silent_after:
                yield from self._be_silent(attempt)
        if trace.is_lost:
            yield from self._be_lost(attempt)
        else:
            outcome = RunOutcome(
                exit_code=trace.exit_code, signal=trace.signal, error_line=trace.error_line
            )
            self._end(attempt, outcome)

    def _step(self, attempt: Attempt) -> int:
        silent_after = attempt.trace.silent_after
        if silent_after is None or silent_after <= attempt.done:
            return self._per_flush
        return min(self._per_flush, silent_after - attempt.done)

    def _report(self, attempt: Attempt) -> bool:
        """Store what the script has logged by now; tell whether the run has to stop."""
        claimed, trace = attempt.claimed, attempt.trace
        made = len(trace.values)
        if trace.seconds_per_report > 0:
            # The half of a microsecond: moments are sums of floats.
            made = int((self._time - attempt.began + 5e-7) / trace.seconds_per_report)
        until = min(max(made, attempt.done + 1), len(trace.values))
        start = self._begin.timestamp()
        reports = [
            Report(
                seq=ordinal + 1,
                name=claimed.spec.metric_name,
                value=float(trace.values[ordinal]),
                step=None,
                time=start + attempt.time_of(ordinal + 1),
            )
            for ordinal in range(attempt.done, until)
        ]
        record_reports(claimed.run_id, claimed.fence, reports)
        attempt.done = until
        return self._judge(claimed) or self._is_asked_to_stop(attempt)

    def _judge(self, claimed: ClaimedRun) -> bool:
        if claimed.spec.early_termination_config is None:
            return False
        if self._curves is None:
            self._curves = SweepCurves(self._sweep_id)
        decision = apply_policy(
            claimed.run_id, claimed.fence, curves=self._curves, spec=claimed.spec
        )
        return decision is not None and decision.stop

    def _is_asked_to_stop(self, attempt: Attempt) -> bool:
        """Renew the lease when it is time to, and learn what is wanted of the run."""
        if self._time - attempt.renewed <= settings.STUDIO_HEARTBEAT_SECONDS:
            return False
        attempt.renewed = self._time
        order = renew_lease(attempt.claimed.run_id, attempt.claimed.fence)
        if order.lost:
            raise StaleState(f"run {attempt.claimed.public_id} is {order.state}")
        return order.is_cancel_requested

    def _end(self, attempt: Attempt, outcome: RunOutcome) -> None:
        claimed = attempt.claimed
        begin_finalizing(claimed.run_id, claimed.fence)
        finish_run(claimed.run_id, claimed.fence, outcome)

    def _stop(self, attempt: Attempt, outcome: RunOutcome | None = None) -> None:
        """End an attempt from outside."""
        self._leave(attempt)
        self._end(attempt, outcome or _STOPPED)

    def _time_out(self, attempt: Attempt) -> None:
        if attempt.is_over or attempt.is_silent:
            return
        claimed = attempt.claimed
        reason = timeout_sentence(claimed.spec.run_timeout_minutes)
        request_stop(claimed.run_id, end_reason=EndReason.RUN_TIMEOUT, reason=reason)
        self._stop(attempt, replace(_STOPPED, timed_out=True))
        self._take_runs()

    def _be_silent(self, attempt: Attempt) -> Iterator[float]:
        """Give no sign for a while; the run may have been given up when the worker is back."""
        back = self._time + attempt.trace.silent_seconds
        yield from self._miss(attempt, until=back)
        attempt.is_silent = False
        attempt.renewed = self._time - settings.STUDIO_LEASE_SECONDS

    def _be_lost(self, attempt: Attempt) -> Iterator[float]:
        """Vanish without a word; the watchdog finds out."""
        yield from self._miss(attempt, until=float("inf"))

    def _miss(self, attempt: Attempt, *, until: float) -> Iterator[float]:
        claimed = attempt.claimed
        attempt.is_silent = True
        lease_over = attempt.renewed + settings.STUDIO_LEASE_SECONDS + 1
        yield min(lease_over, until)
        if until <= self._time:
            return
        mark_not_responding(claimed.run_id)
        yield min(lease_over + settings.STUDIO_LEASE_GRACE_SECONDS, until)
        if until <= self._time:
            return
        silence = settings.STUDIO_LEASE_SECONDS + settings.STUDIO_LEASE_GRACE_SECONDS
        lose_run(
            claimed.run_id,
            reason=f"Its worker simulated gave no sign for {silence} s.",
            fence=claimed.fence,
            expired_before=self.now(),
        )
        self._take_runs()
        if until != float("inf"):
            yield until


_STOPPED: Final = RunOutcome(signal=signal.SIGTERM, stopped_by_us=True)
