"""The account page that says what a person is told of; how that is ended from an e-mail."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from experiments.models import Delivery, NotificationChannel
from experiments.notify.kinds import EVENTS, PROPOSED, SCOPES, ChannelKind, Scope
from experiments.problems import ProblemsError
from experiments.queries.notifications import (
    channels_for,
    delivery_log,
    email_channel,
    owned_workspaces,
    with_last_delivery,
)
from experiments.services.notification_channels import (
    ChannelFields,
    ask_for_address,
    change_channel,
    confirm_address,
    email_channel_of,
    set_email,
    test_channel,
)
from experiments.services.notification_links import channel_to_stop, read_address
from experiments.services.refused import Refused

_SHOWN: int = 5


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: HttpRequest) -> HttpResponse:
    """Show and change which e-mails a person gets; their webhooks; those of their workspaces."""
    user = cast(User, request.user)
    if request.method != "POST":
        return _page(request, user)
    asked: dict[str, Any] = {
        "is_on": request.POST.get("email") == "on",
        "events": request.POST.getlist("events"),
        "scopes": request.POST.getlist("sweeps"),
    }
    if asked["is_on"] and not user.email:
        messages.error(request, "Give and confirm an e-mail address first.")
        return redirect("notifications")
    try:
        set_email(user, **asked)
    except ProblemsError as error:
        problems = {problem.path: problem.message for problem in error.problems}
        return _page(request, user, problems=problems, asked=asked, status=422)
    what = "Saved." if asked["is_on"] else "Saved: you get no e-mails."
    messages.success(request, what)
    return redirect("notifications")


@require_POST
def address(request: HttpRequest) -> HttpResponse:
    """Send a link to a new address; the account keeps its own until the link is opened."""
    user = cast(User, request.user)
    wanted = request.POST.get("address", "")
    try:
        ask_for_address(user, wanted)
    except ProblemsError as error:
        problems = {problem.path: problem.message for problem in error.problems}
        return _page(request, user, problems=problems, wanted=wanted, status=422)
    except Refused as error:
        messages.error(request, str(error))
    else:
        text = f"A link is on its way to {wanted.strip()}. Open it within a day, in this browser."
        messages.success(request, text)
    return redirect("notifications")


@never_cache
@require_GET
def confirm(request: HttpRequest, confirmation: str) -> HttpResponse:
    """Make an address that of the account: whoever opens the link reads what is sent there."""
    user = cast(User, request.user)
    wanted = read_address(confirmation)
    if wanted is None or wanted.user != user.pk:
        messages.error(request, "This link works for a day, for the person who asked for it.")
    elif not confirm_address(user, wanted.address, wanted.instead_of):
        messages.error(request, "This link was used already, or the address changed meanwhile.")
    else:
        messages.success(request, f"Your e-mail address is {wanted.address}.")
    return redirect("notifications")


@require_POST
def send_test(request: HttpRequest) -> HttpResponse:
    """Send a test e-mail."""
    user = cast(User, request.user)
    try:
        test_channel(email_channel_of(user))
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.info(request, f"A test message is on its way to {user.email}.")
    return redirect("notifications")


# Mail programs post here by themselves (RFC 8058), without cookies: the token is what allows it.
@login_not_required
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, stop_token: str) -> HttpResponse:
    """End the e-mails of a person; a GET only asks, since scanners follow links."""
    channel = channel_to_stop(stop_token)
    if channel is None:
        return render(request, "experiments/notifications_stop.html", {"is_gone": True}, status=404)
    if request.method == "POST":
        change_channel(channel, ChannelFields(is_on=False))
    context = {"channel": channel, "is_done": not channel.is_on}
    response = render(request, "experiments/notifications_stop.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _page(
    request: HttpRequest,
    user: User,
    *,
    problems: dict[str, str] | None = None,
    asked: dict[str, Any] | None = None,
    wanted: str = "",
    status: int = 200,
) -> HttpResponse:
    channel = email_channel(user)
    log = delivery_log(channel, limit=_SHOWN).items if channel else []
    context = {
        "channel": channel,
        "log": log,
        "is_waiting": any(row.outcome == Delivery.Outcome.WAITING for row in log),
        "problems": problems or {},
        "wanted": wanted,
        "has_server": settings.STUDIO_MAIL_SERVER is not None,
        **_choices(channel, asked),
    }
    if "X-Fragment" in request.headers:
        return render(request, "experiments/_notifications_parts.html", context)
    mine = with_last_delivery(channels_for(user).filter(user=user))
    context |= {
        "webhooks": list(mine.exclude(kind=ChannelKind.EMAIL)),
        "owned": list(owned_workspaces(user).order_by("name")[:50]),
    }
    return render(request, "experiments/notifications.html", context, status=status)


def _choices(channel: NotificationChannel | None, asked: dict[str, Any] | None) -> dict[str, Any]:
    """Return the boxes of the form; before the first time those that most people want."""
    events, scopes, is_on = list(PROPOSED), [Scope.MINE], False
    if channel is not None and channel.events:
        events, scopes, is_on = channel.events, channel.scopes, channel.is_on
    if asked is not None:
        events, scopes, is_on = asked["events"], asked["scopes"], asked["is_on"]
    return {
        "is_on": is_on,
        "events": [(kind, words, kind in events) for kind, words in EVENTS.items()],
        "scopes": [(scope, words, scope in scopes) for scope, words in SCOPES.items()],
    }
