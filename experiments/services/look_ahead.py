"""Work out the next suggestions of a sweep before a run ends, for samplers that take their time.

When a run ends with the best value that it has now, the history is known in advance: the sampler
is asked for that history already, and the controller finds the answer by its fingerprint. Whatever
comes otherwise, the controller asks the sampler itself, so nothing depends on this.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Min
from redis.exceptions import RedisError

from experiments.models import Run, Sweep
from experiments.samplers import load_sampler
from experiments.samplers.base import SpaceExhausted
from experiments.services import kept_suggestions
from experiments.services.dispatch import enqueue_look_ahead
from experiments.services.sampling import make_sampler, suggest
from experiments.services.sweep_history import look_at
from experiments.spec import SweepSpec
from experiments.states import RUN_ACTIVE, RUN_LIVE, RunState, SweepState

logger = logging.getLogger(__name__)

# The control worker has other things to do as well.
_BUDGET_SECONDS: Final = 0.5
_MOST: Final = 16


def ask_ahead(sweep: Sweep) -> None:
    """Ask the control worker to look ahead, after the commit; nothing for quick samplers."""
    is_of_use = sweep.sampled < sweep.max_total_runs and _looks_ahead(sweep)
    if is_of_use and not sweep.compute.is_simulated:
        transaction.on_commit(partial(_ask, sweep.pk), robust=True)


def look_ahead(sweep_id: int) -> int:
    """Keep a suggestion for each run that may end next; return how many were worked out."""
    kept_suggestions.answer(sweep_id)
    sweep = Sweep.objects.filter(pk=sweep_id, state=SweepState.RUNNING).first()
    if sweep is None or sweep.is_exhausted or not _looks_ahead(sweep):
        return 0
    active = Run.objects.filter(sweep=sweep, state__in=sorted(RUN_ACTIVE)).count()
    count = min(sweep.max_concurrent_runs - active + 1, sweep.max_total_runs - sweep.sampled)
    if count <= 0:
        return 0
    until = time.monotonic() + _BUDGET_SECONDS
    sampler = make_sampler(sweep, SweepSpec.from_stored(sweep.spec))
    seen = look_at(sweep)
    found = 0
    for number, value in _nearly_done(sweep):
        expected = seen.when_completed(number, value)
        if kept_suggestions.is_kept(sweep.pk, expected, count):
            continue
        try:
            suggestions = suggest(sweep, sampler, expected, count)
        except SpaceExhausted:
            return found
        kept_suggestions.keep(sweep.pk, expected, count, suggestions)
        found += 1
        if time.monotonic() > until:
            break
    return found


def _nearly_done(sweep: Sweep) -> list[tuple[int, float]]:
    """Return number and best value of the live runs that may end next, the likeliest first.

    Runs of one script report about equally often: one that has reported as often as a completed
    run did is near its end. Before any has ended, whoever has reported may be.
    """
    completed = Run.objects.filter(sweep=sweep, state=RunState.COMPLETED, reports__gt=0)
    usual = completed.aggregate(least=Min("reports"))["least"] or 1
    live = Run.objects.filter(
        sweep=sweep, state__in=sorted(RUN_LIVE), reports__gte=usual, best_value__isnull=False
    )
    rows = live.order_by("-stamp").values_list("number", "best_value")[:_MOST]
    return [(number, float(value or 0.0)) for number, value in rows]


def _looks_ahead(sweep: Sweep) -> bool:
    return load_sampler(SweepSpec.from_stored(sweep.spec).sampler_name).looks_ahead


def _ask(sweep_id: int) -> None:
    try:
        if kept_suggestions.ask_once(sweep_id):
            enqueue_look_ahead(sweep_id)
    except (RedisError, OSError) as error:
        logger.warning("nobody looks ahead for sweep %s: %s", sweep_id, error)
