"""Invitations to a workspace: listed, made, revoked by its Owners; accepted by whoever has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from experiments import clock, queries
from experiments.models import Invitation, Workspace
from experiments.permissions import ROLE_MEANINGS, Action, Role
from experiments.problems import ProblemsError
from experiments.queries.workspaces import invitation_state, invitations_of
from experiments.services.account_mail import sends_mail
from experiments.services.invitation_mail import mail_invitation
from experiments.services.invitations import (
    DAYS,
    MAX_USES,
    InvitationTerms,
    create_invitation,
    find_invitation,
    is_for,
    revoke_invitation,
    use_invitation,
    why_closed,
)
from experiments.services.refused import Refused
from experiments.services.sign_up import may_sign_up
from experiments.views.workspaces import find_workspace

_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Made:
    """An invitation that was just made, with its address: shown this once."""

    invitation: Invitation
    url: str
    is_mailed: bool


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """List the invitations of a workspace; POST makes one and shows its link, this once."""
    workspace = find_workspace(request, slug, Action.MANAGE_MEMBERS)
    if request.method != "POST":
        return _page(request, workspace)
    data = request.POST
    terms = InvitationTerms(
        role=data.get("role", ""),
        email=data.get("email", ""),
        days=_number(data.get("days", "")),
        max_uses=_number(data.get("max_uses", "")),
    )
    try:
        made, plain = create_invitation(workspace, terms, user=cast(User, request.user))
    except ProblemsError as error:
        problems = {problem.path: problem.message for problem in error.problems}
        return _page(request, workspace, status=422, problems=problems, terms=terms)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("workspace_invitations", slug)
    url = request.build_absolute_uri(reverse("invitation", args=[plain]))
    return _page(request, workspace, made=Made(made, url, mail_invitation(made, url)))


@require_POST
def revoke(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Make a link useless at once."""
    workspace = find_workspace(request, slug, Action.MANAGE_MEMBERS)
    found = get_object_or_404(invitations_of(workspace), pk=invitation_id)
    if revoke_invitation(found, user=cast(User, request.user)):
        messages.info(request, "The invitation is revoked: its link lets nobody in any more.")
    return redirect("workspace_invitations", slug)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Say who invites to what; POST, signed in, accepts it."""
    found = find_invitation(token)
    reason = why_closed(found)
    if found is None or reason:
        # Whoever came in by it is not told that it is used up.
        if found is not None and _is_member(request, found):
            return redirect("workspace", found.workspace.slug)
        return _closed(request, reason, status=404 if found is None else 410)
    if request.method != "POST" or not request.user.is_authenticated:
        return _offer(request, found, token)
    try:
        member = use_invitation(request.user, token)
    except Refused as error:
        return _closed(request, str(error), status=403)
    messages.success(request, f"Welcome to “{found.workspace.name}”. You are {member.role} here.")
    return redirect("workspace", found.workspace.slug)


def _offer(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    user = request.user
    here = reverse("invitation", args=[token])
    by = found.created_by
    context: dict[str, Any] = {
        "invitation": found,
        "by": (by.get_full_name() or by.get_username()) if by else "Somebody",
        "meaning": ROLE_MEANINGS[Role(found.role)],
        "sign_in_url": f"{reverse('sign_in')}?{urlencode({'next': here})}",
        "sign_up_url": f"{reverse('sign_up')}?{urlencode({'invitation': token})}",
        "may_sign_up": may_sign_up(found.email, found),
        "is_other": isinstance(user, User) and not is_for(found, user),
        "is_member": _is_member(request, found),
    }
    return render(request, "experiments/invitation.html", context)


def _closed(request: HttpRequest, reason: str, *, status: int) -> HttpResponse:
    context = {"reason": reason}
    return render(request, "experiments/invitation_closed.html", context, status=status)


def _is_member(request: HttpRequest, found: Invitation) -> bool:
    return queries.role_in(request.user, found.workspace_id) is not None


def _page(
    request: HttpRequest, workspace: Workspace, *, status: int = 200, **extra: Any
) -> HttpResponse:
    now = clock.now()
    rows = list(invitations_of(workspace)[:_SHOWN])
    states = [(row, invitation_state(row, now)) for row in rows]
    context = {
        "shown": workspace,
        "live": [row for row, state in states if state == "live"],
        "closed": [(row, state) for row, state in states if state != "live"],
        "roles": list(ROLE_MEANINGS.items()),
        "days": DAYS,
        "max_uses": MAX_USES,
        "sends_mail": sends_mail(),
        "terms": InvitationTerms(),
        "made": None,
        "problems": {},
        **extra,
    }
    return render(request, "experiments/workspace_invitations.html", context, status=status)


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 6 else 0
