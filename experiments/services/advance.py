"""The controller of a sweep: one idempotent function that every trigger just calls again.

It looks at the rows, takes the one step they call for, and looks again. Two controllers at once do
no harm: each step is a compare-and-set, and who comes second looks again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from experiments import clock, log_context
from experiments.models import Event, Run, Sweep
from experiments.queries.site_settings import site
from experiments.services.events import append_event
from experiments.services.look_ahead import ask_ahead
from experiments.services.new_runs import create_runs
from experiments.services.origins import origin_of
from experiments.services.sampling import Proposal, SamplerFailed, propose_runs
from experiments.services.stopping import stop_children
from experiments.services.sweep_end import breaker_sentence, end_again, end_of_sweep
from experiments.services.text import clean_text
from experiments.services.transitions import StaleState, move_sweep
from experiments.services.waiting import active_runs, hold_queued, settle_waiting
from experiments.services.warm_start import runs_to_resume
from experiments.states import NOT_ITS_FAULT, RUN_ACTIVE, EndReason, RunState, SweepState

logger = logging.getLogger(__name__)

# Enough for any real sequence of steps; a controller that is always overtaken leaves it to others.
_MAX_STEPS: Final = 100
_MAX_REASON: Final = 3000


def advance_sweep(sweep_id: int) -> None:
    """Do everything that a sweep calls for now: start, sample, stop at limits, end.

    Called when a sweep is created or canceled, when a run ended, and by the watchdog's tick.
    """
    for _ in range(_MAX_STEPS):
        sweep = Sweep.objects.select_related("compute").filter(pk=sweep_id).first()
        if sweep is None or sweep.is_terminal:
            return
        try:
            with log_context.bound(sweep_id=sweep.public_id, request_id=origin_of(sweep.pk)):
                is_settled = not _step(sweep)
        except StaleState:
            continue  # another controller was faster: look again at what it left
        if is_settled:
            return
    logger.warning("sweep %s did not settle; the next trigger goes on", sweep_id)


def _step(sweep: Sweep) -> bool:
    """Take one step; tell whether there may be another one."""
    if sweep.state == SweepState.CANCEL_REQUESTED:
        return _wind_down(sweep)
    if sweep.deadline_at is not None and sweep.deadline_at <= clock.now():
        return _time_out(sweep)
    if sweep.state == SweepState.QUEUED:
        return not _waits_for_maintenance(sweep) and _start(sweep)
    if sweep.state == SweepState.PAUSED:
        return hold_queued(sweep)
    # `sweep` was read before them: who creates runs from now on makes create_runs fail, and runs
    # that end from now on only leave a slot for the next look.
    active = active_runs(sweep)
    if settle_waiting(sweep, active):
        return True
    if _wants_runs(sweep):
        return _break_circuit(sweep) or _fill_slots(sweep, len(active))
    return not active and _end_when_done(sweep)


def _waits_for_maintenance(sweep: Sweep) -> bool:
    # Its time does not begin while nothing may start; the next tick after the end looks again.
    return site().maintenance and not sweep.compute.is_simulated


def _start(sweep: Sweep) -> bool:
    now = clock.now()
    limit = timedelta(minutes=sweep.spec["max_duration_minutes"])
    move_sweep(sweep.pk, SweepState.RUNNING, started_at=now, deadline_at=now + limit)
    return True


def _time_out(sweep: Sweep) -> bool:
    minutes = sweep.spec["max_duration_minutes"]
    runs = Run.objects.filter(sweep=sweep)
    ended = runs.exclude(state__in=sorted(RUN_ACTIVE)).count()
    move_sweep(
        sweep.pk,
        SweepState.CANCEL_REQUESTED,
        end_reason=EndReason.TIMEOUT,
        reason=f"Stopped after max_duration_minutes {minutes:g}; {ended} of "
        f"{sweep.max_total_runs} runs had ended by then.",
    )
    return True


def _wind_down(sweep: Sweep) -> bool:
    is_timeout = sweep.end_reason == EndReason.TIMEOUT
    stop_children(
        sweep.pk,
        end_reason=EndReason.SWEEP_TIMEOUT if is_timeout else EndReason.SWEEP_CANCELED,
        reason=(
            f"The sweep reached max_duration_minutes {sweep.spec['max_duration_minutes']:g}."
            if is_timeout
            else "The sweep was canceled."
        ),
    )
    if active_runs(sweep):
        return False
    move_sweep(sweep.pk, SweepState.CANCELED, end_reason=sweep.end_reason, reason=sweep.reason)
    return False


def _wants_runs(sweep: Sweep) -> bool:
    is_done = sweep.is_exhausted or sweep.sampler_error or sweep.kept_end_reason
    return sweep.sampled < sweep.max_total_runs and not is_done


def _fill_slots(sweep: Sweep, active: int) -> bool:
    free = min(sweep.max_concurrent_runs - active, sweep.max_total_runs - sweep.sampled)
    if free <= 0:
        return False
    if resumed := runs_to_resume(sweep, free):
        create_runs(sweep, resumed)
        return True
    try:
        proposal = propose_runs(sweep, free)
    except SamplerFailed as error:
        return _give_up_sampling(sweep, str(error))
    if proposal.runs:
        create_runs(sweep, proposal.runs)
        ask_ahead(sweep)
        # With every slot taken there is nothing to look at until a run ends.
        return len(proposal.runs) < free
    if proposal.is_exhausted:
        return _note_exhausted(sweep, proposal)
    if active:
        return False  # the sampler waits for results
    return _give_up_sampling(sweep, "The sampler proposed nothing although no run is active.")


def _note_exhausted(sweep: Sweep, proposal: Proposal) -> bool:
    return _stop_sampling(sweep, proposal.note, is_exhausted=True)


def _give_up_sampling(sweep: Sweep, error: str) -> bool:
    """Keep why the sampler failed: the live runs end by themselves, then the sweep fails."""
    text = clean_text(error, _MAX_REASON)
    return _stop_sampling(sweep, text, sampler_error=text)


def _stop_sampling(sweep: Sweep, message: str, **fields: object) -> bool:
    with transaction.atomic():
        cursor = append_event(sweep.pk, Event.Kind.SAMPLER, message)
        changed = Sweep.objects.filter(
            pk=sweep.pk, is_exhausted=False, sampler_error="", next_number=sweep.next_number
        ).update(**fields)
        if not changed:
            raise StaleState(f"Sweep {sweep.pk} went on before change {cursor}.")
    return True


def _break_circuit(sweep: Sweep) -> bool:
    """Pause a sweep whose last `max_failed_runs` runs all failed by themselves."""
    limit = sweep.spec.get("max_failed_runs")
    if not limit:
        return False
    ended = Run.objects.filter(sweep=sweep, ended_at__isnull=False).exclude(
        end_reason__in=sorted(NOT_ITS_FAULT)
    )
    if sweep.resumed_at is not None:
        ended = ended.filter(ended_at__gt=sweep.resumed_at)
    last = list(ended.order_by("-ended_at", "-number")[:limit])
    if len(last) < limit or any(run.state != RunState.FAILED for run in last):
        return False
    reason = breaker_sentence(limit, last[0])
    move_sweep(
        sweep.pk,
        SweepState.PAUSED,
        reason=reason,
        message=f"Sweep: Paused. {reason}",
        sources={SweepState.RUNNING},
    )
    return True


def _end_when_done(sweep: Sweep) -> bool:
    # A canceled sweep that only repeated runs asks to stop first; nobody is left to wait for.
    is_kept = bool(sweep.kept_end_reason)
    state, end_reason, reason = end_again(sweep) if is_kept else end_of_sweep(sweep)
    # next_number: nobody queued a run since the active ones were counted.
    move_sweep(
        sweep.pk,
        state,
        end_reason=end_reason,
        reason=clean_text(reason, _MAX_REASON),
        where=Q(next_number=sweep.next_number),
    )
    return is_kept
