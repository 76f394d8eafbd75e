"""Queue a configuration of a person's own values in a live sweep ("clone and edit")."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from experiments.models import Run, Sweep
from experiments.problems import Problem, ProblemsError
from experiments.services.advance import advance_sweep
from experiments.services.events import bump
from experiments.services.new_runs import NewRun, create_by_hand
from experiments.services.refused import Refused
from experiments.services.sampling import arguments_of
from experiments.space.configuration import read_configuration
from experiments.spec import SweepSpec
from experiments.states import SweepState

_OPEN = frozenset({SweepState.QUEUED, SweepState.RUNNING, SweepState.PAUSED})
ASKS = 'Send "outside": true to run it all the same.'


def queue_by_hand(sweep: Sweep, params: Any, *, user: User, may_be_outside: bool = False) -> Run:
    """Create a run of these hyperparameters; it waits for the next free slot.

    It counts towards max_total_runs, and samplers do not repeat it.

    Raises:
        ProblemsError: names or kinds are wrong, a value is outside the search space and that was
            not said to be meant, or max_total_runs is reached.
        Refused: the sweep has ended or is being canceled.
    """
    spec = SweepSpec.from_stored(sweep.spec)
    configuration = read_configuration(spec.space, params)
    if configuration.outside and not may_be_outside:
        raise ProblemsError(
            Problem(f"params.{name}", f"{text} {ASKS}")
            for name, text in configuration.outside.items()
        )
    note = " ".join([f"Queued by hand by {user.get_username()}.", *configuration.outside.values()])
    new = NewRun(
        params=configuration.params,
        arguments=arguments_of(spec, configuration.params),
        note=note,
        origin=Run.Origin.HAND,
    )
    with transaction.atomic():
        bump(sweep.pk)  # nobody else creates runs until the commit
        _check_room(Sweep.objects.get(pk=sweep.pk))
        run = create_by_hand(sweep.pk, new, by=user)
    advance_sweep(sweep.pk)
    run.refresh_from_db()
    return run


def takes_by_hand(sweep: Sweep) -> bool:
    """Tell whether `queue_by_hand` would take a configuration, as far as the sweep goes."""
    return sweep.state in _OPEN and sweep.sampled < sweep.max_total_runs


def _check_room(sweep: Sweep) -> None:
    if sweep.state not in _OPEN:
        is_over = sweep.is_terminal
        raise Refused(
            f"The sweep {'has ended' if is_over else 'is being canceled'}, so no configuration can "
            "be queued. Duplicate it to go on."
        )
    if sweep.sampled >= sweep.max_total_runs:
        text = (
            f"All {sweep.max_total_runs} runs of max_total_runs have been created; "
            "raise max_total_runs first."
        )
        raise ProblemsError([Problem("max_total_runs", text)])
