"""Making an account: with an invitation, by a link to one's address, or at once."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from experiments.models import Invitation
from experiments.problems import ProblemsError
from experiments.services.account_mail import sends_mail
from experiments.services.invitations import open_invitation
from experiments.services.refused import Refused
from experiments.services.sessions import Way, begin_session
from experiments.services.sign_up import (
    MAX_NAME,
    NewAccount,
    Policy,
    domains_of,
    is_open_to_strangers,
    proven_address,
    send_sign_up_link,
    sign_up,
)
from experiments.services.site import site


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Make an account, or send the link that goes on to it; what is asked depends on the site."""
    if request.user.is_authenticated:
        return redirect("home")
    plain = request.POST.get("invitation") or request.GET.get("invitation") or ""
    invitation = open_invitation(plain) if plain else None
    is_closed = site().sign_up == Policy.CLOSED
    if is_closed or (invitation is None and not is_open_to_strangers()):
        is_gone = bool(plain) and not is_closed
        why = {"is_gone": is_gone, "is_closed": is_closed}
        return render(request, "experiments/sign_up_closed.html", why, status=403)
    # An invitation came to somebody; everybody else shows that the address is theirs.
    by_link = invitation is None and sends_mail()
    if request.method != "POST":
        return _page(request, invitation=invitation, plain=plain, by_link=by_link)
    email = request.POST.get("email", "")
    try:
        if by_link:
            send_sign_up_link(email)
            return render(request, "experiments/sign_up_sent.html", {"email": email.strip()})
        user = _make(request, email, invitation=invitation)
    except (ProblemsError, Refused) as error:
        return _page(request, invitation=invitation, plain=plain, by_link=by_link, error=error)
    begin_session(request, user, Way.SIGN_UP)
    return redirect("invitation", plain) if invitation is not None else redirect("home")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def proven(request: HttpRequest, token: str) -> HttpResponse:
    """Go on with an address that its owner has shown to be theirs."""
    email = proven_address(token)
    if email is None:
        return render(request, "experiments/sign_up_closed.html", {"is_used": True}, status=410)
    if request.method != "POST":
        return _page(request, email=email)
    try:
        user = _make(request, email, is_proven=True)
    except (ProblemsError, Refused) as error:
        return _page(request, email=email, error=error)
    begin_session(request, user, Way.SIGN_UP)
    return redirect("home")


def _make(
    request: HttpRequest,
    email: str,
    *,
    is_proven: bool = False,
    invitation: Invitation | None = None,
) -> User:
    new = NewAccount(request.POST.get("name", ""), email)
    password = request.POST.get("password", "")
    return sign_up(new, password=password, is_proven=is_proven, invitation=invitation)


def _page(
    request: HttpRequest,
    *,
    invitation: Invitation | None = None,
    plain: str = "",
    by_link: bool = False,
    email: str = "",
    error: ProblemsError | Refused | None = None,
) -> HttpResponse:
    fixed = email or (invitation.email if invitation else "")
    problems = {}
    if isinstance(error, ProblemsError):
        problems = {problem.path: problem.message for problem in error.problems}
    now = site()
    context = {
        "invitation": invitation,
        "plain": plain,
        "by_link": by_link,
        "fixed": fixed,
        "email": fixed or request.POST.get("email", ""),
        "name": request.POST.get("name", ""),
        "problems": problems,
        "refused": str(error) if isinstance(error, Refused) else "",
        "domains": domains_of(now) if now.sign_up == Policy.DOMAINS and not fixed else [],
        "max_name": MAX_NAME,
    }
    status = 422 if problems else 429 if error else 200
    return render(request, "experiments/sign_up.html", context, status=status)
