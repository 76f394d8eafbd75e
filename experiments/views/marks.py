"""What people mark at once, without being asked: stars of their own, tags for everybody."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from experiments.models import RegisteredModel, Sweep
from experiments.problems import ProblemsError
from experiments.queries.models import models_for
from experiments.run_filter_terms import unquote
from experiments.services.stars import set_star
from experiments.services.sweep_tags import change_sweep_tags
from experiments.views.sweep_head import changer_of, find_sweep


@require_POST
def star_sweep(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Give one's star to a sweep, or take it away; whoever may look may do that."""
    return _star(request, find_sweep(request, sweep_id))


@require_POST
def star_model(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """Give one's star to a registered model, or take it away."""
    found = models_for(request.user).filter(workspace__slug=workspace)
    return _star(request, get_object_or_404(found, name=name))


@require_POST
def tag_sweep(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Add the tag in `add`, a name or name=text; take the ones named in `remove` away."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep)
    name, _, text = (part.strip() for part in request.POST.get("add", "").partition("="))
    added = {unquote(name): text or None} if name else {}
    removed = request.POST.getlist("remove")
    try:
        change_sweep_tags(sweep, added=added, removed=removed, user=user)
    except ProblemsError as error:
        problem = error.problems[0].message
        if _wants_json(request):
            return JsonResponse({"detail": problem}, status=422)
        messages.error(request, problem)
        return redirect(sweep)
    if _wants_json(request):
        return JsonResponse({"message": ""})
    return redirect(_next(request, sweep))


def _star(request: HttpRequest, thing: Sweep | RegisteredModel) -> HttpResponse:
    if not isinstance(request.user, User):
        raise PermissionDenied
    is_on = request.POST.get("star") != "off"
    set_star(thing, user=request.user, is_on=is_on)
    if _wants_json(request):
        return JsonResponse({"starred": is_on})
    return redirect(_next(request, thing))


def _next(request: HttpRequest, default: Sweep | RegisteredModel) -> str:
    address: Any = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if address and is_ours else default.get_absolute_url()


def _wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")
