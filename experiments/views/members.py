"""What Owners do with the members of a workspace: add, give another role, remove, hand over."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from experiments import queries
from experiments.models import Membership, Workspace
from experiments.permissions import Action
from experiments.problems import Problem, ProblemsError
from experiments.services.members import (
    add_member,
    change_role,
    checked_role,
    find_person,
    hand_over,
    remove_member,
)
from experiments.services.refused import Refused
from experiments.views.workspaces import attempt, find_workspace, workspace_page


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """Make somebody with an account a member."""
    workspace = find_workspace(request, slug, Action.MANAGE_MEMBERS)
    who, role_name = request.POST.get("user", ""), request.POST.get("role", "")
    problems: list[Problem] = []
    try:
        role = checked_role(role_name)
        member = add_member(workspace, find_person(who), role, by=cast(User, request.user))
    except ProblemsError as error:
        problems = error.problems
    except Refused as error:
        problems = [Problem("user", str(error))]
    if problems:
        shown = {problem.path: problem.message for problem in problems}
        extra = {"problems": shown, "who": who, "new_role": role_name}
        return workspace_page(request, workspace, status=422, **extra)
    messages.success(request, f"{member.user.get_username()} is a {member.role} now.")
    return redirect("workspace", slug)


@require_POST
def role(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Give a member another role."""
    workspace = find_workspace(request, slug, Action.MANAGE_MEMBERS)
    member = _member(workspace, user_id)
    try:
        wanted = checked_role(request.POST.get("role", ""))
    except ProblemsError as error:
        messages.error(request, error.problems[0].message)
        return redirect("workspace", slug)
    user = cast(User, request.user)
    if attempt(request, lambda: change_role(member, wanted, by=user)):
        messages.success(request, f"{member.user.get_username()} is {_a(wanted)} now.")
    return redirect("workspace", slug)


@require_POST
def remove(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Take a member out of a workspace."""
    workspace = find_workspace(request, slug, Action.MANAGE_MEMBERS)
    member = _member(workspace, user_id)
    user = cast(User, request.user)
    if attempt(request, lambda: remove_member(member, by=user)):
        messages.info(request, f"{member.user.get_username()} is no member any more.")
    if member.user_id == user.pk and not queries.is_administrator(user):
        return redirect("workspaces")
    return redirect("workspace", slug)


@require_POST
def transfer(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Make a member Owner in one's own place."""
    workspace = find_workspace(request, slug, Action.MANAGE_WORKSPACE)
    member = _member(workspace, user_id)
    user = cast(User, request.user)
    if attempt(request, lambda: hand_over(member, by=user)):
        messages.success(request, f"“{workspace.name}” belongs to {member.user.get_username()}.")
    return redirect("workspace", slug)


def _member(workspace: Workspace, user_id: int) -> Membership:
    rows = workspace.memberships.select_related("user", "workspace")
    return get_object_or_404(rows, user=user_id)


def _a(role: str) -> str:
    return f"an {role}" if role[0] in "AEIOU" else f"a {role}"
