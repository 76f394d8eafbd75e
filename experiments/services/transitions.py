"""The only code that assigns `state`: compare-and-set moves of runs and sweeps.

A move is one transaction: the sweep's cursor is bumped, the row is updated if it still is in one of
the states that may come before, and one event is written. Watchers are told after the commit.
Errors of this module: Exception > StaleState.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from experiments import clock, log_context
from experiments.models import Event, Run, Sweep
from experiments.services.counters import count_move
from experiments.services.events import bump, notify, write_event
from experiments.services.notifications import announce_sweep
from experiments.states import (
    RUN_REASONS,
    RUN_TERMINAL,
    SWEEP_ACTIVE,
    SWEEP_REASONS,
    SWEEP_TERMINAL,
    EndReason,
    RunState,
    SweepState,
    badge,
    run_predecessors,
    sweep_predecessors,
)

logger = logging.getLogger(__name__)


class StaleState(Exception):  # noqa: N818 - an expected race, often no error
    """Somebody was faster: the row is not in a state (or not of the attempt) that was expected."""


class RunPlace(NamedTuple):
    """Where a run belongs: never changes."""

    sweep_id: int
    number: int


def place_of(run_id: int) -> RunPlace:
    """Return where a run belongs.

    Raises:
        Run.DoesNotExist: it was deleted.
    """
    return RunPlace(*Run.objects.values_list("sweep_id", "number").get(pk=run_id))


def move_run(
    run_id: int,
    to: RunState,
    *,
    end_reason: str = "",
    reason: str = "",
    message: str = "",
    sources: Collection[RunState] | None = None,
    where: Q | None = None,
    by: User | None = None,
    known: RunPlace | None = None,
    **fields: Any,
) -> Run:
    """Move a run to another state and set `fields` with it; return the run as it is afterwards.

    `sources` narrows the states it may come from and `where` demands more of the row, such as
    the fence of an attempt. A terminal state stamps `ended_at` and takes lease and token away.
    `by` is who wanted it, when a person did. `known` saves asking where the run belongs.

    Raises:
        StaleState: the run is in no state that may come before, or belongs to another attempt.
        ValueError: `to` needs an end reason and a sentence, or may not have this one.
    """
    _check_reason(to, end_reason, reason, RUN_REASONS.get(to))
    with transaction.atomic():
        sweep_id, number = known or place_of(run_id)
        cursor = bump(sweep_id)
        rows = Run.objects.filter(pk=run_id, state__in=_allowed(run_predecessors(to), sources))
        if where is not None:
            rows = rows.filter(where)
        if to in RUN_TERMINAL:
            fields |= {"ended_at": clock.now(), "lease_expires_at": None, "token_digest": ""}
        changed = rows.update(
            state=to, end_reason=end_reason, reason=reason, stamp=cursor, **fields
        )
        if not changed:
            raise StaleState(f"Run {run_id} cannot become {to} any more.")
        write_event(
            sweep_id,
            cursor,
            Event.Kind.RUN,
            sentence := message or _sentence(f"Run {number}", to, end_reason, reason),
            run_id=run_id,
            payload={"number": number, "state": to, "end_reason": end_reason},
            by=by,
        )
        notify(sweep_id)
        count_move("run", to, end_reason)
        run = Run.objects.get(pk=run_id)
        _log(sentence, sweep_id=run.public_id.rpartition("_")[0], run_id=run.public_id)
        return run


def move_sweep(
    sweep_id: int,
    to: SweepState,
    *,
    end_reason: str = "",
    reason: str = "",
    message: str = "",
    sources: Collection[SweepState] | None = None,
    where: Q | None = None,
    by: User | None = None,
    **fields: Any,
) -> Sweep:
    """Move a sweep to another state and set `fields` with it; return it as it is afterwards.

    `sources`, `where` and `by` as in `move_run`; a sweep that has ended moves only when `sources`
    names its state. Paused may have a sentence that says why.

    Raises:
        StaleState: the sweep is in no state that may come before.
        ValueError: `to` needs an end reason and a sentence, or may not have this one.
    """
    _check_reason(to, end_reason, reason, SWEEP_REASONS.get(to))
    with transaction.atomic():
        cursor = bump(sweep_id)
        fields |= {"ended_at": clock.now() if to in SWEEP_TERMINAL else None}
        before = _allowed(sweep_predecessors(to), SWEEP_ACTIVE if sources is None else sources)
        rows = Sweep.objects.filter(pk=sweep_id, state__in=before)
        if where is not None:
            rows = rows.filter(where)
        changed = rows.update(state=to, end_reason=end_reason, reason=reason, **fields)
        if not changed:
            raise StaleState(f"Sweep {sweep_id} cannot become {to} any more.")
        write_event(
            sweep_id,
            cursor,
            Event.Kind.SWEEP,
            sentence := message or _sentence("Sweep", to, end_reason, reason),
            payload={"state": to, "end_reason": end_reason},
            by=by,
        )
        notify(sweep_id)
        count_move("sweep", to, end_reason)
        sweep = Sweep.objects.get(pk=sweep_id)
        announce_sweep(sweep, by_person=by is not None)
        _log(sentence, sweep_id=sweep.public_id)
        return sweep


def _log(sentence: str, **known: str) -> None:
    if clock.is_real():  # a simulation moves thousands of runs a second
        transaction.on_commit(partial(_write_line, sentence, known), robust=True)


def _write_line(sentence: str, known: Mapping[str, str]) -> None:
    with log_context.bound(**known):
        logger.info("%s", sentence)


def _allowed(before: Collection[Any], sources: Collection[Any] | None) -> list[str]:
    return sorted(str(s) for s in before if sources is None or s in sources)


def _check_reason(
    to: str, end_reason: str, reason: str, allowed: frozenset[EndReason] | None
) -> None:
    if allowed is None:
        if end_reason or (reason and to != SweepState.PAUSED):
            raise ValueError(f"{to} is no end; it has no end reason, so not {end_reason!r}.")
        return
    if end_reason not in allowed:
        choices = ", ".join(sorted(allowed))
        raise ValueError(f"{to} with end reason {end_reason!r}; allowed here: {choices}.")
    if not reason:
        raise ValueError(f"{to} needs a sentence that says why.")


def _sentence(who: str, to: str, end_reason: str, reason: str) -> str:
    label = badge(to, end_reason).label
    return f"{who}: {label}. {reason[0].upper()}{reason[1:]}" if reason else f"{who}: {label}"
