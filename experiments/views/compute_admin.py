"""What is done on the compute page: turn targets off, drain them, attach machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from django.contrib import messages
from django.contrib.auth.decorators import user_passes_test
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from experiments import queries
from experiments.compute_settings import Changes
from experiments.models import ComputeTarget
from experiments.services.compute import ask_workers, change_target
from experiments.services.compute_tokens import make_compute_token
from studio import env

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

# What a button does, and what is said afterwards.
_ACTIONS: Final = {
    "drain": (Changes(draining=True), "takes no new runs; live ones go on"),
    "undrain": (Changes(draining=False), "takes runs again"),
    "disable": (Changes(enabled=False), "takes no new sweeps"),
    "enable": (Changes(enabled=True), "takes new sweeps again"),
}


def _is_administrator(user: User | AnonymousUser) -> bool:
    if not queries.is_administrator(user):
        raise PermissionDenied
    return True


administrators_only = user_passes_test(_is_administrator)


@require_POST
def change(request: HttpRequest, name: str) -> HttpResponse:
    """Drain or turn off a target, or take that back; let its workers test their interpreter.

    Owners do it with the targets of their workspace. They attach no machines: a worker gets the
    address of the database.
    """
    target = get_object_or_404(queries.compute_for(request.user), name=name)
    if not queries.may_manage_compute(request.user, target):
        raise PermissionDenied
    action = request.POST.get("action", "")
    if action == "test":
        count = ask_workers(target)
        slots = "1 slot was" if count == 1 else f"{count} slots were"
        messages.info(request, f"{slots} asked; the answers come within seconds.")
    elif action in _ACTIONS:
        changes, outcome = _ACTIONS[action]
        change_target(target, changes, user=cast("User", request.user))
        messages.success(request, f"{target.name} {outcome}.")
    else:
        known = ", ".join([*_ACTIONS, "test"])
        messages.error(request, f"Nothing was changed: choose one of {known}.")
    return redirect(reverse("compute"))


@require_POST
@never_cache
@administrators_only
def attach(request: HttpRequest, name: str) -> HttpResponse:
    """Make a token for another machine and show, this once, the command that attaches it."""
    target = get_object_or_404(ComputeTarget, name=name)
    machine = request.POST.get("machine", "").strip()[:120] or "another machine"
    _, plain = make_compute_token(target, name=machine, by=cast("User", request.user))
    is_embedded = not env.text("REDIS_URL") or connection.vendor == "sqlite"
    context = {
        "target": target,
        "machine": machine,
        "token": plain,
        "studio_url": request.build_absolute_uri(reverse("home")).rstrip("/"),
        "is_embedded": is_embedded,
    }
    return render(request, "experiments/compute_attach.html", context)
