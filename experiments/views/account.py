"""Signing in and out: by password, by one-time link; setting a password."""

from __future__ import annotations

from typing import Any, Final, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from experiments.services.access import use_sign_in_link
from experiments.services.accounts import note_password
from experiments.services.sessions import Way, begin_session, note_session
from experiments.services.sign_in import SignInPausedError, sign_in_with_password
from experiments.services.sign_up import is_open_to_strangers

_WRONG_PAIR: Final = (
    "User name or password is wrong.",
    "After 5 failed tries the account pauses for 15 minutes.",
)
_PAUSED: Final = (
    "Signing in from here is paused for 15 minutes.",
    "There were too many failed tries. A one-time link or a new password still lets you in.",
)
_LINK_GONE: Final = (
    "This link does not work any more.",
    "It signs in once and for a limited time. Each start of the studio prints a new one.",
)


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form and check the pair; then back to the page that was asked for."""
    target = safe_next(request)
    if request.method != "POST":
        return redirect(target) if request.user.is_authenticated else sign_in_page(request)
    username = request.POST.get("username", "")
    password = request.POST.get("password", "")
    try:
        user = sign_in_with_password(request, username=username, password=password)
    except SignInPausedError:
        return sign_in_page(request, error=_PAUSED, username=username, status=429)
    if user is None:
        return sign_in_page(request, error=_WRONG_PAIR, username=username, status=401)
    begin_session(request, user, Way.PASSWORD)
    return redirect(target)


# GET only: a HEAD of a link preview must not use the link up.
@login_not_required
@never_cache
@require_GET
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in the person that a one-time link was made for."""
    user = use_sign_in_link(token)
    if user is not None:
        begin_session(request, user, Way.LINK)
        return redirect(safe_next(request))
    if request.user.is_authenticated:
        return redirect("home")
    return sign_in_page(request, error=_LINK_GONE, status=410)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Stand in for the sign-in of the administration, which knows no pause after failures."""
    if request.user.is_authenticated:
        raise PermissionDenied("The administration is for members of the staff.")
    query = urlencode({"next": request.GET.get("next") or resolve_url("admin:index")})
    return redirect(f"{resolve_url('sign_in')}?{query}")


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("sign_in")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Set the first password or change it; other sessions of the person end."""
    user = cast(User, request.user)
    had_one = user.has_usable_password()
    form_class: Any = PasswordChangeForm if had_one else SetPasswordForm
    form = form_class(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, user)
        # The old session is gone with the old password; this one has another key.
        note_session(request, user, way=Way.PASSWORD if had_one else Way.LINK)
        note_password(user, how="its owner")
        messages.success(request, "The password is changed." if had_one else "The password is set.")
        return redirect("home")
    context = {"form": form, "had_one": had_one, "page": "password"}
    return render(
        request,
        "experiments/password.html",
        context,
        status=422 if form.is_bound else 200,
    )


def sign_in_page(
    request: HttpRequest,
    *,
    error: tuple[str, str] | None = None,
    username: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show the form, with why somebody is not signed in."""
    context = {
        "error": error,
        "username": username,
        "next": safe_next(request),
        "may_sign_up": is_open_to_strangers(),
        "single_sign_on": settings.STUDIO_OIDC,
    }
    return render(request, "experiments/sign_in.html", context, status=status)


def safe_next(request: HttpRequest) -> str:
    """Return the page of ours that was asked for, or the first one."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if is_ours else resolve_url("home")
