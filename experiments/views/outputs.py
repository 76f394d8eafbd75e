"""Removing outputs: of one run, or of all but the best runs of a sweep on a page of its own."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from experiments.formats import format_filesize
from experiments.forms.codecs import parse_number
from experiments.models import Removal, Sweep
from experiments.permissions import Action
from experiments.problems import ProblemsError
from experiments.queries.outputs import plan_outputs
from experiments.services.outputs import (
    check_best,
    keep_outputs_of_best,
    remove_outputs,
    set_rule,
)
from experiments.services.refused import Refused
from experiments.services.removals import carry_on
from experiments.views.runs import find_run
from experiments.views.sweep_head import changer_of, find_sweep

# A few runs are done when the page comes back; the watchdog goes on with many.
_SECONDS: Final = 1.0
_DEFAULT_BEST: Final = 3
_SHOWN: Final = 10


@require_POST
def of_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """Remove the outputs of one run that has ended."""
    run = find_run(request, run_id)
    user = changer_of(request, run.sweep, Action.DELETE_FOR_GOOD)
    try:
        removal = carry_on(remove_outputs(run, user=user), seconds=_SECONDS)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.info(request, _told(removal))
    return redirect(run)


@require_http_methods(["GET", "HEAD", "POST"])
def of_sweep(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show what keeping only the outputs of the best runs would do; POST does it.

    For a live sweep it is a rule for its end.
    """
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep, Action.DELETE_FOR_GOOD)
    asked = request.POST if request.method == "POST" else request.GET
    text = asked.get("best", str(_start(sweep))).strip()
    error = ""
    try:
        best: int | None = check_best(parse_number(text))
        if request.method == "POST":
            return _act(request, sweep, None if "none" in request.POST else best, user)
    except ProblemsError as problems:
        best, error = None, problems.problems[0].message
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("sweep_outputs", sweep.public_id)
    is_fragment = "X-Fragment" in request.headers
    name = (
        "experiments/_sweep_outputs_parts.html" if is_fragment else "experiments/sweep_outputs.html"
    )
    context = {"sweep": sweep, "text": text, "error": error, **_plan_context(sweep, best)}
    return render(request, name, context, status=422 if error and not is_fragment else 200)


def _act(request: HttpRequest, sweep: Sweep, best: int | None, user: Any) -> HttpResponse:
    if not sweep.is_terminal:
        set_rule(sweep, best, user=user)
        kept = "all runs keep" if best is None else f"of all runs the best {best} keep"
        messages.info(request, f"When the sweep ends, {kept} their outputs.")
        return redirect("sweep_outputs", sweep.public_id)
    removal = keep_outputs_of_best(sweep, best, user=user)
    if removal is None:
        messages.info(request, "There was nothing to remove.")
    else:
        messages.info(request, _told(carry_on(removal, seconds=_SECONDS)))
    return redirect("sweep_runs", sweep.public_id)


def _plan_context(sweep: Sweep, best: int | None) -> dict[str, Any]:
    if best is None or not sweep.is_terminal:
        return {"plan": None, "best": best}
    plan = plan_outputs(sweep, best)
    return {
        "plan": plan,
        "best": best,
        "kept": plan.kept[:_SHOWN],
        "more_kept": max(0, len(plan.kept) - _SHOWN),
    }


def _start(sweep: Sweep) -> int:
    kept = sweep.keep_outputs_of_best
    return _DEFAULT_BEST if kept is None else kept


def _told(removal: Removal) -> str:
    what = "Outputs of 1 run" if removal.run_count == 1 else f"Outputs of {removal.run_count} runs"
    if removal.finished_at is None:
        return f"{what} are being removed; this goes on by itself."
    return f"{what} removed, {format_filesize(removal.freed_bytes)} freed."
