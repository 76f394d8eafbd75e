"""The check before a launch, as the new-sweep form shows it: followed, canceled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from experiments import queries
from experiments.check_facts import Mark, Outcome
from experiments.forms.sweep_fields import SweepFields
from experiments.models import Sweep
from experiments.permissions import Action
from experiments.queries import CheckView
from experiments.services.check_run import DEFAULT_SECONDS, MAX_SECONDS, cancel_check

# Of each mark: the icon, and its word for those who do not see the icon.
_MARKS: Final[dict[Mark, tuple[str, str]]] = {
    "ok": ("completed", "Fine"),
    "bad": ("close", "Wrong"),
    "warn": ("warn", "Note"),
    "wait": ("queued", "Waiting"),
}
_OUTCOMES: Final[dict[Outcome, Mark]] = {
    "passed": "ok",
    "failed": "bad",
    "canceled": "warn",
    "running": "wait",
    "waiting": "wait",
}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of the result with its icon and the word for it."""

    mark: str
    icon: str
    word: str
    label: str
    text: str


@require_safe
def show(request: HttpRequest, check_id: str) -> HttpResponse:
    """Return the parts of the result that change; the whole form to a browser without scripts."""
    sweep = _find(request, check_id)
    if "X-Fragment" not in request.headers:
        return redirect(sweep)
    context = {"check": shown_check(queries.check_view(sweep))}
    return render(request, "experiments/_check_run.html", context)


@require_POST
def cancel(request: HttpRequest, check_id: str) -> HttpResponse:
    """Cancel the check; one that has ended stays as it is."""
    sweep = _find(request, check_id)
    user = cast(User, request.user)
    if not queries.may(user, sweep.experiment.workspace, Action.SUBMIT):
        raise PermissionDenied("Canceling a check needs the role Contributor in its workspace.")
    is_canceled = cancel_check(sweep, user=user)
    if request.accepts("text/html"):
        return redirect(sweep)
    return JsonResponse({"canceled": is_canceled})


def follow_json(sweep: Sweep, fields: SweepFields) -> dict[str, Any]:
    """Return what the browser follows a check by; `uploaded` is the stored zip of the form."""
    return {
        **_addresses(sweep),
        "uploaded": sweep.snapshot.digest if fields.get("code") == "upload" else "",
    }


def check_context(fields: SweepFields, user: User) -> dict[str, Any]:
    """Return what the form needs for its check, with the result of the one it names."""
    context: dict[str, Any] = {
        "fields": fields.with_texts(
            check_seconds=fields.get("check_seconds") or str(DEFAULT_SECONDS)
        ),
        "most_check_seconds": MAX_SECONDS,
    }
    try:
        sweep = queries.find_check(user, fields.get("check"))
    except Sweep.DoesNotExist:
        return context
    return context | {
        "check": shown_check(queries.check_view(sweep)),
        "check_addresses": _addresses(sweep),
    }


def shown_check(view: CheckView) -> dict[str, Any]:
    """Return what the template shows of a check."""
    verdict, facts = view.verdict, view.facts
    lines = [
        ShownLine(line.mark, *_MARKS[line.mark], line.label, line.text) for line in verdict.lines
    ]
    mark = _OUTCOMES[verdict.outcome]
    elapsed = facts.run.elapsed if facts.run and not facts.is_over else None
    return {
        "id": view.sweep.public_id,
        "outcome": verdict.outcome,
        "is_over": facts.is_over,
        "mark": mark,
        "icon": _MARKS[mark][0],
        "headline": verdict.headline,
        "lines": lines,
        "offered": verdict.offered,
        "params": view.params,
        "note": view.run.note if view.run else "",
        "metric": facts.metric,
        "metrics": facts.metrics,
        "elapsed": elapsed,
        "cap": facts.cap,
        "log": "\n".join(facts.log_lines),
    }


def _find(request: HttpRequest, check_id: str) -> Sweep:
    try:
        return queries.find_check(request.user, check_id)
    except Sweep.DoesNotExist as error:
        raise Http404 from error


def _addresses(sweep: Sweep) -> dict[str, Any]:
    home = reverse("home")
    return {
        "id": sweep.public_id,
        "url": reverse("check_run", args=[sweep.public_id]),
        "cancel": reverse("check_run_cancel", args=[sweep.public_id]),
        "socket": f"{home}ws/sweeps/{sweep.public_id}/",
        "state": f"{home}api/v1/check-runs/{sweep.public_id}",
        "cursor": sweep.cursor,
    }
