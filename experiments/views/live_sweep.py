"""What people do to live sweeps on their pages: pause, resume, repeat, queue by hand, limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from experiments.forms.codecs import format_number, format_values, parse_number, parse_values
from experiments.models import Sweep
from experiments.problems import ProblemsError
from experiments.services.by_hand import queue_by_hand
from experiments.services.limits import LIMITS, change_limits
from experiments.services.refused import Refused
from experiments.services.retries import retry_failed as repeat_failed
from experiments.services.retries import retry_run as repeat_run
from experiments.services.sweeps import pause_sweep, resume_sweep
from experiments.space.base import Expression
from experiments.space.configuration import read_configuration
from experiments.spec import SweepSpec
from experiments.views.runs import find_run
from experiments.views.sweep_head import changer_of, find_sweep

_LABELS: Final = {
    "max_total_runs": ("Runs in all", "1 to 1000, not fewer than there are"),
    "max_concurrent_runs": ("At a time", "1 to 100; empty: as many as possible"),
    "max_duration_minutes": ("Longest duration in minutes", "1 to 43200, counted from the start"),
}


@dataclass(frozen=True, slots=True)
class TextField:
    """One line of a small form."""

    name: str
    label: str
    value: str
    hint: str
    error: str = ""


@require_POST
def pause(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Pause the sweep, for people who may change it."""
    return _steer(request, sweep_id, pause_sweep, "The sweep is not running, so it is not paused.")


@require_POST
def resume(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Let a paused sweep go on, for people who may change it."""
    return _steer(request, sweep_id, resume_sweep, "The sweep was not paused.")


@require_POST
def retry_failed(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Repeat the failed runs of the sweep, for people who may change it."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep)
    try:
        count = len(repeat_failed(sweep, user=user))
    except Refused as error:
        messages.error(request, str(error))
    else:
        runs = "1 run" if count == 1 else f"{count} runs"
        messages.info(request, f"{runs} will be repeated." if count else "No failed run is left.")
    return redirect(sweep)


@require_POST
def retry_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """Repeat one run, for people who may change its sweep; go to the new one."""
    run = find_run(request, run_id)
    user = changer_of(request, run.sweep)
    try:
        return redirect(repeat_run(run, user=user))
    except Refused as error:
        messages.error(request, str(error))
    return redirect(run)


@require_http_methods(["GET", "HEAD", "POST"])
def clone_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """Queue a run of one's own values, beginning with those of a run."""
    run = find_run(request, run_id)
    sweep = run.sweep
    user = changer_of(request, sweep)
    space = SweepSpec.from_stored(sweep.spec).space.expressions
    texts = {name: _text_of(space[name], run.params.get(name)) for name in space}
    errors: dict[str, str] = {}
    asks = False
    if request.method == "POST":
        texts = {name: request.POST.get(f"value.{name}", "").strip() for name in space}
        params = {name: _value_of(space[name], text) for name, text in texts.items() if text}
        is_meant = "outside" in request.POST
        errors, asks = _faults(sweep, params, is_meant=is_meant)
        if not errors:
            made = _queue(request, sweep, params, user)
            return redirect(made or sweep)
    fields = [
        TextField(f"value.{name}", name, text, space[name].to_text(), errors.get(name, ""))
        for name, text in texts.items()
    ]
    context = {"run": run, "sweep": sweep, "fields": fields, "asks": asks}
    status = 422 if errors and not asks else 200  # to ask is no error
    return render(request, "experiments/run_clone.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Change the limits of a live sweep."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep)
    texts = {name: format_number(sweep.spec[name]) for name in LIMITS}
    errors: dict[str, str] = {}
    if request.method == "POST":
        texts = {name: request.POST.get(name, "").strip() for name in LIMITS}
        changes = {name: parse_number(text) for name, text in texts.items()}
        try:
            change_limits(sweep, changes, user=user)
            return redirect("sweep_configuration", sweep.public_id)
        except Refused as error:
            messages.error(request, str(error))
            return redirect("sweep_configuration", sweep.public_id)
        except ProblemsError as error:
            errors = {problem.path: problem.message for problem in error.problems}
    fields = [
        TextField(name, _LABELS[name][0], text, _LABELS[name][1], errors.get(name, ""))
        for name, text in texts.items()
    ]
    context = {"sweep": sweep, "fields": fields}
    return render(request, "experiments/sweep_limits.html", context, status=422 if errors else 200)


def _steer(
    request: HttpRequest, sweep_id: str, act: Callable[..., bool], too_late: str
) -> HttpResponse:
    sweep = find_sweep(request, sweep_id)
    if not act(sweep, user=changer_of(request, sweep)):
        messages.info(request, too_late)
    return redirect(sweep)


def _faults(
    sweep: Sweep, params: Mapping[str, Any], *, is_meant: bool
) -> tuple[dict[str, str], bool]:
    """Return what is wrong by name, and whether it only has to be meant."""
    try:
        found = read_configuration(SweepSpec.from_stored(sweep.spec).space, params)
    except ProblemsError as error:
        return {p.path.removeprefix("params."): p.message for p in error.problems}, False
    return ({}, False) if is_meant else (found.outside, bool(found.outside))


def _queue(request: HttpRequest, sweep: Sweep, params: Mapping[str, Any], user: User) -> Any:
    """Queue the values and return the run; None and a message when the sweep takes none."""
    try:
        return queue_by_hand(sweep, params, user=user, may_be_outside=True)
    except Refused as error:
        messages.error(request, str(error))
    except ProblemsError as error:
        messages.error(request, error.problems[0].message)
    return None


def _text_of(expression: Expression, value: Any) -> str:
    return format_values([value]) if expression.name == "choice" else format_number(value)


def _value_of(expression: Expression, text: str) -> Any:
    """Return what a field holds: a number, or any value that a choice may offer."""
    if expression.name != "choice":
        return parse_number(text)
    values = parse_values(text)
    return values[0] if isinstance(values, list) and len(values) == 1 else text
