"""Workspaces: the list, a new one, one with its members, and what its Owners do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from experiments import clock, queries
from experiments.models import Workspace
from experiments.permissions import (
    MEANINGS,
    ROLE_MEANINGS,
    Action,
    Role,
    actions_of,
    needed_for,
)
from experiments.problems import ProblemsError
from experiments.queries.quotas import quota_use
from experiments.queries.workspaces import (
    contents_of,
    invitations_of,
    listed_workspaces,
    members_of,
)
from experiments.services.members import leave_workspace
from experiments.services.refused import Refused
from experiments.services.workspaces import (
    MAX_NAME,
    MAX_SLUG,
    choose_workspace,
    create_workspace,
    delete_workspace,
    rename_workspace,
)
from experiments.views.parts import once

PAGE_SIZE: Final = 50


@require_safe
def workspace_list(request: HttpRequest) -> HttpResponse:
    """List a person's workspaces, for an administrator all of them."""
    text = request.GET.get("q", "").strip()[:200]
    offset = offset_of(request)
    rows = list(listed_workspaces(request.user, text=text)[offset : offset + PAGE_SIZE + 1])
    current = queries.current_workspace(request.user)
    context = {
        "rows": rows[:PAGE_SIZE],
        "text": text,
        "current": current,
        "has_search": bool(text or offset or len(rows) > 12),
        "is_administrator": queries.is_administrator(request.user),
        "next_url": next_url(request, offset, len(rows)),
    }
    return render(request, "experiments/workspace_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make a workspace; its maker is its first Owner and works there from now on."""
    texts = {key: request.POST.get(key, "") for key in ("name", "slug")}
    problems: dict[str, str] = {}
    if request.method == "POST":
        user = cast(User, request.user)
        try:
            made = create_workspace(texts["name"], user=user, slug=texts["slug"])
        except ProblemsError as error:
            problems = {problem.path: problem.message for problem in error.problems}
        except Refused as error:
            problems = {"": str(error)}
        else:
            choose_workspace(user, made)
            messages.success(request, f"“{made.name}” is made, and new sweeps go there.")
            return redirect("workspace", made.slug)
    context = {"texts": texts, "problems": problems, "max_name": MAX_NAME, "max_slug": MAX_SLUG}
    status = 422 if problems else 200
    return render(request, "experiments/workspace_new.html", context, status=status)


@require_safe
def workspace(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a workspace: who is in it, what each role may do, and to Owners what they may change."""
    return workspace_page(request, find_workspace(request, slug))


@require_POST
def choose(request: HttpRequest, slug: str) -> HttpResponse:
    """Work in a workspace from now on, and go on where one was."""
    found = find_workspace(request, slug)
    choose_workspace(cast(User, request.user), found)
    asked = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(asked if is_ours else reverse("workspace", args=[found.slug]))


@require_POST
def rename(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a workspace another name; every address stays."""
    found = find_workspace(request, slug, Action.MANAGE_WORKSPACE)
    name = request.POST.get("name", "")
    try:
        rename_workspace(found, name, user=cast(User, request.user))
    except ProblemsError as error:
        problems = {problem.path: problem.message for problem in error.problems}
        return workspace_page(request, found, status=422, problems=problems, new_name=name)
    messages.success(request, "Saved.")
    return redirect("workspace", slug)


@require_POST
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete an empty workspace."""
    found = find_workspace(request, slug, Action.MANAGE_WORKSPACE)
    user = cast(User, request.user)
    if not attempt(request, lambda: delete_workspace(found, user=user)):
        return redirect("workspace", slug)
    messages.info(request, f"“{found.name}” is deleted.")
    return redirect("workspaces")


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Leave a workspace; what one made there stays."""
    found = find_workspace(request, slug)
    user = cast(User, request.user)
    if not attempt(request, lambda: leave_workspace(found, user=user)):
        return redirect("workspace", slug)
    messages.info(request, f"You have left “{found.name}”. Your sweeps stay there.")
    return redirect("workspaces")


def workspace_page(
    request: HttpRequest, found: Workspace, *, status: int = 200, **extra: Any
) -> HttpResponse:
    """Render the page of a workspace, with what was typed wrong."""
    text = request.GET.get("q", "").strip()[:200]
    offset = offset_of(request)
    user = cast(User, request.user)
    role = queries.role_in(user, found.pk)
    allowed = queries.allowed_in(user, found.pk)
    is_manager = Action.MANAGE_MEMBERS in allowed
    rows = members_of(found, text=text, by_address=is_manager)
    members = list(rows[offset : offset + PAGE_SIZE + 1])
    current = queries.current_workspace(user)
    may_manage = Action.MANAGE_WORKSPACE in allowed
    context = {
        "shown": found,
        "role": role,
        "is_current": current is not None and current.pk == found.pk,
        "members": members[:PAGE_SIZE],
        "n_members": found.memberships.count(),
        "text": text,
        "next_url": next_url(request, offset, len(members)),
        "roles": list(ROLE_MEANINGS.items()),
        "table": role_table(),
        "role_names": list(Role),
        "may_manage_members": is_manager,
        "may_manage_workspace": may_manage,
        "may_manage_webhooks": Action.MANAGE_WEBHOOKS in allowed,
        "open_invitations": invitations_of(found, live=True).count() if is_manager else 0,
        "contents": contents_of(found) if may_manage else [],
        "quota": once(lambda: quota_use(found, clock.now())),
        "max_name": MAX_NAME,
        "new_name": found.name,
        "who": "",
        "new_role": Role.CONTRIBUTOR,
        "problems": {},
        **extra,
    }
    return render(request, "experiments/workspace.html", context, status=status)


def role_table() -> list[tuple[str, list[bool], str]]:
    """Return each action with which roles allow it, and the roles it needs in words."""
    return [
        (MEANINGS[action], [action in actions_of(role) for role in Role], needed_for(action))
        for action in Action
    ]


def find_workspace(request: HttpRequest, slug: str, action: Action = Action.VIEW) -> Workspace:
    """Return a workspace; 404 to strangers, 403 to members whose role does not allow this."""
    found = queries.workspaces_for(request.user).filter(slug=slug).first()
    if found is None:
        raise Http404("There is no such workspace.")
    if action != Action.VIEW and not queries.may(request.user, found, action):
        raise PermissionDenied(f"{MEANINGS[action]} needs the role {needed_for(action)}.")
    return found


def attempt(request: HttpRequest, act: Callable[[], Any]) -> bool:
    """Do it; why it may not be done becomes a message."""
    try:
        act()
    except Refused as error:
        messages.error(request, str(error))
        return False
    return True


def offset_of(request: HttpRequest) -> int:
    """Return how many rows of a list were seen on the pages before."""
    asked = request.GET.get("from", "")
    return int(asked) if asked.isdecimal() and asked.isascii() and len(asked) < 9 else 0


def next_url(request: HttpRequest, offset: int, found: int) -> str:
    """Return the address of the next page of a list; "" on the last one."""
    if found <= PAGE_SIZE:
        return ""
    text = request.GET.get("q", "").strip()[:200]
    return "?" + urlencode({**({"q": text} if text else {}), "from": str(offset + PAGE_SIZE)})
