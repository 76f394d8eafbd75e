"""One's own account: name, address, workspaces, and the end of it."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from experiments.problems import ProblemsError
from experiments.queries.accounts import memberships_for, sessions_for, tokens_for
from experiments.services.account_mail import sends_mail
from experiments.services.accounts import (
    change_name,
    deactivate_account,
    erase_account,
    reason_to_stay,
)
from experiments.services.notification_channels import ask_for_address
from experiments.services.refused import Refused
from experiments.services.sign_in import SignInPausedError, sign_in_with_password
from experiments.services.sign_up import is_email_proven


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show everything about one's own account."""
    return _page(request)


@require_POST
def name(request: HttpRequest) -> HttpResponse:
    """Change what a person is called."""
    user = cast(User, request.user)
    try:
        change_name(user, request.POST.get("name", ""))
    except ProblemsError as error:
        return _page(request, error=error, name=request.POST.get("name", ""))
    messages.success(request, "Your name is saved.")
    return redirect("account")


@require_POST
def address(request: HttpRequest) -> HttpResponse:
    """Send a link to a new address; the account keeps its own until the link is opened."""
    wanted = request.POST.get("address", "").strip()
    try:
        ask_for_address(cast(User, request.user), wanted)
    except ProblemsError as error:
        return _page(request, error=error, wanted=wanted)
    except Refused as error:
        messages.error(request, str(error))
    else:
        text = f"A link is on its way to {wanted}. Open it within a day, in this browser."
        messages.success(request, text)
    return redirect("account")


@sensitive_post_parameters("password")
@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Deactivate or erase one's own account, once it is sure who asks."""
    user = cast(User, request.user)
    problem = _not_sure(request, user)
    if problem:
        return _page(request, problems={"close": problem})
    erase = request.POST.get("how") == "erase"
    try:
        (erase_account if erase else deactivate_account)(user, by=user)
    except Refused as error:
        return _page(request, problems={"close": str(error)})
    logout(request)
    return render(request, "experiments/account_closed.html", {"is_erased": erase})


def _not_sure(request: HttpRequest, user: User) -> str:
    """Return why the account is not closed: its name or its password is not what was typed."""
    if request.POST.get("how") not in ("deactivate", "erase"):
        return "Choose whether the account is deactivated or deleted."
    if request.POST.get("username", "").strip() != user.get_username():
        return f"Type {user.get_username()} to say that you mean this account."
    if not user.has_usable_password():
        return ""
    password = request.POST.get("password", "")
    try:
        # With the pauses of signing in: a browser left open must not be a place to guess.
        found = sign_in_with_password(request, username=user.get_username(), password=password)
    except SignInPausedError:
        return "There were too many wrong passwords; try again in 15 minutes."
    return "" if found == user else "The password is wrong."


def _page(
    request: HttpRequest,
    *,
    error: ProblemsError | None = None,
    problems: dict[str, str] | None = None,
    name: str | None = None,
    wanted: str = "",
) -> HttpResponse:
    user = cast(User, request.user)
    found = problems or {}
    if error is not None:
        found = {problem.path: problem.message for problem in error.problems}
    context = {
        "name": user.get_full_name() if name is None else name,
        "wanted": wanted,
        "problems": found,
        "has_server": sends_mail(),
        "is_proven": is_email_proven(user),
        "memberships": list(memberships_for(user)[:200]),
        "identities": list(user.identities.all()[:10]),
        "token_count": tokens_for(user).count(),
        "session_count": sessions_for(user).count(),
        "stay": reason_to_stay(user, erase=False),
        "how": request.POST.get("how", ""),
    }
    return render(request, "experiments/account.html", context, status=422 if found else 200)
