"""Change registered models on their pages: marks, words, deleting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from experiments import queries
from experiments.forms.codecs import parse_pairs
from experiments.models import RegisteredModel
from experiments.permissions import Action
from experiments.problems import ProblemsError
from experiments.services import models as service
from experiments.services.refused import Refused
from experiments.views.models import find_model, find_version


@require_POST
def mark(request: HttpRequest, workspace: str, name: str, number: int) -> HttpResponse:
    """Mark a version, or remove its mark."""
    found = find_version(request, workspace, name, number)
    user = _changer(request, found.model)
    stage = request.POST.get("stage", "")
    _attempt(request, lambda: service.mark_version(found, stage=stage, user=user))
    return redirect(found)


@require_POST
def describe_version(request: HttpRequest, workspace: str, name: str, number: int) -> HttpResponse:
    """Store the description and the tags of a version."""
    found = find_version(request, workspace, name, number)
    _changer(request, found.model)
    tags = parse_pairs(request.POST.get("tags", ""))
    _attempt(
        request,
        lambda: service.change_version(
            found,
            description=request.POST.get("description", ""),
            tags=tags,
            removed_tags=set(found.tags) - set(tags),
        ),
    )
    return redirect(found)


@require_POST
def delete_version(request: HttpRequest, workspace: str, name: str, number: int) -> HttpResponse:
    """Delete a version with its files."""
    found = find_version(request, workspace, name, number)
    user = _changer(request, found.model, Action.DELETE_MODELS)
    if not _attempt(request, lambda: service.delete_version(found, user=user)):
        return redirect(found)
    messages.info(request, f"Version {number} of {name} is deleted.")
    return redirect(found.model)


@require_POST
def describe_model(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """Store the description of a model."""
    found = find_model(request, workspace, name)
    _changer(request, found)
    text = request.POST.get("description", "")
    _attempt(request, lambda: service.describe_model(found, description=text))
    return redirect(found)


@require_POST
def delete_model(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """Delete a model that has no versions left."""
    found = find_model(request, workspace, name)
    user = _changer(request, found, Action.DELETE_MODELS)
    if not _attempt(request, lambda: service.delete_model(found, user=user)):
        return redirect(found)
    messages.info(request, f"{name} is deleted.")
    return redirect("models")


def _changer(
    request: HttpRequest, found: RegisteredModel, action: Action = Action.REGISTER_MODELS
) -> User:
    user = request.user
    if isinstance(user, User) and queries.may(user, found.workspace, action):
        return user
    raise PermissionDenied


def _attempt(request: HttpRequest, act: Callable[[], Any]) -> bool:
    """Do it; what is wrong with it becomes a message."""
    try:
        act()
    except ProblemsError as error:
        messages.error(request, " ".join(problem.message for problem in error.problems))
        return False
    except Refused as error:
        messages.error(request, str(error))
        return False
    return True
