"""Webhooks of a workspace or of a person: list, new, change, test, log, secret, delete."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from experiments import queries
from experiments.models import Delivery, NotificationChannel, Workspace
from experiments.notify.addresses import mask_url
from experiments.notify.kinds import CHANNELS, EVENTS, PROPOSED, SCOPES, ChannelKind, Scope
from experiments.problems import ProblemsError
from experiments.queries.notifications import (
    channels_for,
    delivery_log,
    owned_workspaces,
    webhooks_for,
    with_last_delivery,
)
from experiments.services.notification_channels import (
    MAX_NAME,
    ChannelFields,
    change_channel,
    create_webhook,
    delete_channel,
    redeliver,
    rotate_secret,
    test_channel,
)
from experiments.services.refused import Refused

P = ParamSpec("P")
_KINDS: Final = (ChannelKind.WEBHOOK, ChannelKind.SLACK)


def _of_webhook(
    view: Callable[Concatenate[HttpRequest, NotificationChannel, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Give a view the webhook of its address, or answer 404: nobody learns of others' webhooks."""

    @wraps(view)
    def found(
        request: HttpRequest, /, webhook_id: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        rows = webhooks_for(request.user)
        return view(request, get_object_or_404(rows, public_id=webhook_id), *args, **kwargs)

    return never_cache(found)


@require_safe
def of_workspace(request: HttpRequest, slug: str) -> HttpResponse:
    """List the webhooks of a workspace, for its owners."""
    chosen = _owned(request, slug)
    rows = with_last_delivery(channels_for(request.user).filter(workspace=chosen))
    context = {"chosen": chosen, "webhooks": list(rows)}
    return render(request, "experiments/webhook_list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make a webhook; the answer shows its secret, this once."""
    slug = request.GET.get("workspace", "")
    workspace = _owned(request, slug) if slug else None
    if request.method != "POST":
        return _form(request, None, workspace)
    kind, fields = request.POST.get("kind", ""), _fields(request)
    try:
        channel, secret = create_webhook(
            kind, fields, user=cast(User, request.user), workspace=workspace
        )
    except ProblemsError as error:
        problems = {problem.path: problem.message for problem in error.problems}
        return _form(request, None, workspace, problems=problems)
    except Refused as error:
        messages.error(request, str(error))
        return redirect(_back(workspace))
    return _made(request, channel, secret)


@require_http_methods(["GET", "HEAD", "POST"])
@_of_webhook
def webhook(request: HttpRequest, channel: NotificationChannel) -> HttpResponse:
    """Show a webhook with its log, and change it; an empty URL keeps the one it has."""
    if request.method != "POST":
        return _form(request, channel, channel.workspace)
    fields = _fields(request, is_change=True)
    try:
        change_channel(channel, fields, user=cast(User, request.user))
    except ProblemsError as error:
        problems = {problem.path: problem.message for problem in error.problems}
        return _form(request, channel, channel.workspace, problems=problems)
    messages.success(request, "Saved.")
    return redirect("webhook", channel.public_id)


@require_POST
@_of_webhook
def test(request: HttpRequest, channel: NotificationChannel) -> HttpResponse:
    """Send a test message; the log shows what became of it."""
    try:
        test_channel(channel)
    except Refused as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('webhook', args=[channel.public_id])}#log")


@require_POST
@_of_webhook
def secret(request: HttpRequest, channel: NotificationChannel) -> HttpResponse:
    """Give a webhook another secret and show it, this once."""
    try:
        plain = rotate_secret(channel, user=cast(User, request.user))
        return _made(request, channel, plain, is_new=False)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("webhook", channel.public_id)


@require_POST
@_of_webhook
def delete(request: HttpRequest, channel: NotificationChannel) -> HttpResponse:
    """Remove a webhook with its log."""
    delete_channel(channel, user=cast(User, request.user))
    messages.info(request, f"{channel.name} is deleted.")
    return redirect(_back(channel.workspace))


@require_POST
@_of_webhook
def send_again(
    request: HttpRequest, channel: NotificationChannel, delivery_id: int
) -> HttpResponse:
    """Send one delivery of the log once more."""
    delivery = get_object_or_404(Delivery, channel=channel, pk=delivery_id)
    try:
        redeliver(delivery)
    except Refused as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('webhook', args=[channel.public_id])}#log")


def _owned(request: HttpRequest, slug: str) -> Workspace:
    """Return a workspace of the person; 404 to strangers, 403 to members who do not own it."""
    found = queries.workspaces_for(request.user).filter(slug=slug).first()
    if found is None:
        raise Http404("There is no such workspace.")
    if not owned_workspaces(request.user).filter(pk=found.pk).exists():
        raise PermissionDenied("Owners of the workspace manage its webhooks.")
    return found


def _fields(request: HttpRequest, *, is_change: bool = False) -> ChannelFields:
    data = request.POST
    url = data.get("url", "").strip()
    return ChannelFields(
        name=data.get("name", ""),
        url=None if is_change and not url else url,
        events=data.getlist("events"),
        scopes=data.getlist("sweeps") if "personal" in data else None,
        is_on=data.get("state") == "on" if is_change else None,
    )


def _form(
    request: HttpRequest,
    channel: NotificationChannel | None,
    workspace: Workspace | None,
    *,
    problems: dict[str, str] | None = None,
) -> HttpResponse:
    context = _log(request, channel) if channel else {}
    if "X-Fragment" in request.headers and channel:
        return render(request, "experiments/_webhook_parts.html", context)
    context |= {
        "chosen": workspace,
        "back": _back(workspace),
        "here": _here(channel, workspace),
        "problems": problems or {},
        "max_name": MAX_NAME,
        "kinds": [(kind, CHANNELS[kind]) for kind in _KINDS],
        "masked": mask_url(channel.url) if channel else "",
        **_values(request, channel),
    }
    status = 422 if problems else 200
    return render(request, "experiments/webhook.html", context, status=status)


def _values(request: HttpRequest, channel: NotificationChannel | None) -> dict[str, Any]:
    """Return what stands in the form: what was typed, else what is stored, else what is proposed.

    A URL that was typed wrong does not come back: its path may be a secret.
    """
    events: list[str] = [*PROPOSED]
    scopes = [str(Scope.MINE)]
    name, kind, is_on = "", str(ChannelKind.WEBHOOK), True
    if channel is not None:
        events, scopes, is_on = channel.events, channel.scopes, channel.is_on
        name, kind = channel.name, channel.kind
    if request.method == "POST":
        data = request.POST
        events, scopes = data.getlist("events"), data.getlist("sweeps")
        name, kind = data.get("name", ""), data.get("kind", kind)
        is_on = data.get("state") == "on"
    return {
        "name": name,
        "kind": kind,
        "is_on": is_on,
        "events": [(key, words, key in events) for key, words in EVENTS.items()],
        "scopes": [(key, words, key in scopes) for key, words in SCOPES.items()],
    }


def _log(request: HttpRequest, channel: NotificationChannel) -> dict[str, Any]:
    before = request.GET.get("before", "")
    is_number = before.isdecimal() and before.isascii() and len(before) < 18
    page = delivery_log(channel, before=int(before) if is_number else None)
    return {
        "channel": channel,
        "log": page.items,
        "older": f"?{urlencode({'before': page.next_before})}#log" if page.next_before else "",
        "is_first": not is_number,
        "is_waiting": any(row.outcome == Delivery.Outcome.WAITING for row in page.items),
    }


def _made(
    request: HttpRequest, channel: NotificationChannel, plain: str, *, is_new: bool = True
) -> HttpResponse:
    if not plain:
        messages.success(request, f"{channel.name} is made. Send it a test message.")
        return redirect("webhook", channel.public_id)
    context = {"channel": channel, "secret": plain, "is_new": is_new}
    return render(request, "experiments/webhook_secret.html", context)


def _here(channel: NotificationChannel | None, workspace: Workspace | None) -> str:
    if channel is not None:
        return reverse("webhook", args=[channel.public_id])
    query = f"?{urlencode({'workspace': workspace.slug})}" if workspace else ""
    return reverse("webhook_new") + query


def _back(workspace: Workspace | None) -> str:
    if workspace is None:
        return reverse("notifications")
    return reverse("workspace_webhooks", args=[workspace.slug])
