"""Change the limits of a live sweep: each edit is a version of its spec, with who and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from experiments import clock
from experiments.models import Event, Sweep, SweepVersion
from experiments.problems import Problem, ProblemsError
from experiments.queries.site_settings import site
from experiments.services.advance import advance_sweep
from experiments.services.events import bump, notify, write_event
from experiments.services.refused import Refused
from experiments.space.literals import brief
from experiments.spec import SweepSpec
from experiments.states import SweepState

LIMITS: Final = ("max_total_runs", "max_concurrent_runs", "max_duration_minutes")
_LIVE: Final = frozenset({SweepState.QUEUED, SweepState.RUNNING, SweepState.PAUSED})


class StaleLimitsError(Exception):
    """Somebody changed the limits since they were read."""


def change_limits(
    sweep: Sweep, changes: Mapping[str, Any], *, user: User, version: int | None = None
) -> Sweep:
    """Set some limits of a live sweep and let the controller obey at once; return the sweep.

    A lower concurrency takes runs that no worker has claimed out of the queue; live ones go on.
    Values that the sweep has already are no edit. `version` is the `spec_version` that was read.

    Raises:
        StaleLimitsError: somebody made a later version.
        ProblemsError: unknown names, values outside what a spec allows, or a limit below what has
            happened already.
        Refused: the sweep has ended or is being canceled.
    """
    _check_names(changes)
    with transaction.atomic():
        cursor = bump(sweep.pk)
        fresh = Sweep.objects.get(pk=sweep.pk)
        if version not in (None, fresh.spec_version):
            raise StaleLimitsError(
                f"The limits are in version {fresh.spec_version} by now; read the sweep again."
            )
        _check_state(fresh, changes)
        spec = _changed_spec(fresh, changes)
        edits = {
            name: {"from": fresh.spec[name], "to": value}
            for name, value in spec.dump().items()
            if name in changes and value != fresh.spec[name]
        }
        if not edits:
            transaction.set_rollback(True)
            return fresh
        _store(fresh, spec, edits, cursor, user)
    advance_sweep(sweep.pk)
    fresh.refresh_from_db()
    return fresh


def can_change_limits(sweep: Sweep) -> bool:
    """Tell whether the limits of a sweep may still be changed."""
    return sweep.state in _LIVE


def _check_names(changes: Mapping[str, Any]) -> None:
    known = ", ".join(LIMITS)
    problems = [
        Problem(str(name), f"{brief(name)} of a live sweep cannot be changed; only {known} can.")
        for name in changes
        if name not in LIMITS
    ]
    if not changes:
        problems.append(Problem("", f"Nothing is named; give one of {known}."))
    if problems:
        raise ProblemsError(problems)


def _check_state(sweep: Sweep, changes: Mapping[str, Any]) -> None:
    if sweep.state not in _LIVE:
        why = "has ended" if sweep.is_terminal else "is being canceled"
        raise Refused(f"The sweep {why}; its limits can be changed only before that.")
    if sweep.kept_end_reason and "max_total_runs" in changes:
        raise Refused("The sweep was canceled and only repeats runs; it takes no new ones.")


def _changed_spec(sweep: Sweep, changes: Mapping[str, Any]) -> SweepSpec:
    """Return the specification with the changes, checked as a new one would be."""
    stored, allowed = dict(sweep.spec), site().spec_limits
    wanted = {**stored, **changes}
    at_once = allowed.at_once(wanted["max_concurrent_runs"], wanted["max_total_runs"])
    if at_once != wanted["max_concurrent_runs"]:
        changes = {**changes, "max_concurrent_runs": at_once}
    try:
        checked = SweepSpec.parse({**stored, **changes})
    except ProblemsError as error:
        # Rules may have grown stricter since the sweep was made; that is not today's question.
        ours = [problem for problem in error.problems if problem.path in changes]
        if ours:
            raise ProblemsError(ours) from error
        checked = SweepSpec.from_stored({**stored, **changes})
    # A sweep from before a limit keeps what it has.
    new = {name: v for name, v in checked.dump().items() if v != stored.get(name)}
    problems = [
        *allowed.problems(new),
        *_too_few_runs(sweep, checked),
        *_too_short(sweep, checked),
    ]
    if problems:
        raise ProblemsError(problems)
    return SweepSpec.from_stored({**stored, **{name: checked.dump()[name] for name in LIMITS}})


def _too_few_runs(sweep: Sweep, spec: SweepSpec) -> list[Problem]:
    if spec.max_total_runs >= sweep.sampled:
        return []
    text = (
        f"max_total_runs is {spec.max_total_runs}, but {sweep.sampled} runs have been created; "
        f"use {sweep.sampled} or more."
    )
    return [Problem("max_total_runs", text)]


def _too_short(sweep: Sweep, spec: SweepSpec) -> list[Problem]:
    deadline, now = _new_deadline(sweep, spec), clock.now()
    if deadline is None or deadline > now or deadline == sweep.deadline_at:
        return []
    late = (now - deadline).total_seconds() / 60
    spent = spec.max_duration_minutes + late
    text = (
        f"max_duration_minutes is {spec.max_duration_minutes:g}, but {spent:.1f} minutes have "
        "passed; use more, or cancel the sweep."
    )
    return [Problem("max_duration_minutes", text)]


def _new_deadline(sweep: Sweep, spec: SweepSpec) -> datetime | None:
    # From the old deadline, not the start: a sweep that goes on has its time again.
    if sweep.deadline_at is None:
        return None
    more = spec.max_duration_minutes - sweep.spec["max_duration_minutes"]
    return sweep.deadline_at + timedelta(minutes=more)


def _store(sweep: Sweep, spec: SweepSpec, edits: dict[str, Any], cursor: int, user: User) -> None:
    version = sweep.spec_version + 1
    Sweep.objects.filter(pk=sweep.pk).update(
        spec=spec.dump(),
        spec_version=version,
        max_total_runs=spec.max_total_runs,
        max_concurrent_runs=spec.effective_concurrency,
        deadline_at=_new_deadline(sweep, spec),
    )
    SweepVersion.objects.create(sweep=sweep, number=version, changes=edits, author=user)
    parts = [f"{name} from {_word(e['from'])} to {_word(e['to'])}" for name, e in edits.items()]
    write_event(
        sweep.pk,
        cursor,
        Event.Kind.SWEEP,
        f"Sweep: {user.get_username()} changed {', '.join(parts)} (version {version})",
        payload={"state": sweep.state, "end_reason": "", "version": version, "changes": edits},
        by=user,
    )
    notify(sweep.pk)


def _word(value: Any) -> str:
    return "no limit" if value is None else f"{value:g}"
