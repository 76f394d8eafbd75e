"""Reads of notifications: channels of a person, who is to be told, what a message says, the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from experiments.models import (
    Delivery,
    DeliveryAttempt,
    Membership,
    Notification,
    NotificationChannel,
    Star,
    Sweep,
    Workspace,
)
from experiments.notify.kinds import ChannelKind, Scope
from experiments.permissions import Action
from experiments.queries.json_forms import (
    best_run_json,
    duration_of,
    run_counts,
    time_json,
)
from experiments.queries.visible import AnyUser, workspaces_where
from experiments.states import badge

LOG_PAGE: Final = 25
_Kind = NotificationChannel.Kind


def owned_workspaces(user: AnyUser) -> QuerySet[Workspace]:
    """Return the workspaces whose webhooks a person manages: as Owner, or as administrator."""
    return workspaces_where(user, Action.MANAGE_WEBHOOKS)


def channels_for(user: AnyUser) -> QuerySet[NotificationChannel]:
    """Return the channels that a person may see and change: own ones, and those of workspaces."""
    return NotificationChannel.objects.filter(
        Q(user=user.pk) | Q(workspace__in=owned_workspaces(user).order_by().values("pk"))
    ).select_related("workspace", "user", "created_by")


def webhooks_for(user: AnyUser) -> QuerySet[NotificationChannel]:
    """Return those of them that are webhooks, of either kind."""
    return channels_for(user).exclude(kind=_Kind.EMAIL)


def with_last_delivery(
    channels: QuerySet[NotificationChannel],
) -> QuerySet[NotificationChannel]:
    """Add `last_outcome` and `last_at`: what became of the last delivery of each channel."""
    last = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-pk")
    return channels.annotate(
        last_outcome=Subquery(last.values("outcome")[:1]),
        last_at=Subquery(last.values("created_at")[:1]),
    )


def email_channel(user: User) -> NotificationChannel | None:
    """Return the e-mail channel of a person, if there is one."""
    return NotificationChannel.objects.filter(user=user, kind=_Kind.EMAIL).first()


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of a delivery log, newest first; `next_before` asks for the following one."""

    items: Sequence[Delivery]
    next_before: int | None


def delivery_log(
    channel: NotificationChannel, *, before: int | None = None, limit: int = LOG_PAGE
) -> LogPage:
    """Return deliveries of a channel, newest first, with their attempts as `made`; 2 queries."""
    rows = Delivery.objects.filter(channel=channel).select_related("notification__sweep")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    attempts = Prefetch("attempts", DeliveryAttempt.objects.order_by("number"), to_attr="made")
    found = list(rows.order_by("-pk").prefetch_related(attempts)[: limit + 1])
    more = found[limit - 1].pk if len(found) > limit else None
    return LogPage(found[:limit], more)


def listeners(notification: Notification, sweep: Sweep) -> list[NotificationChannel]:
    """Return the channels that are to be told of an event of a sweep; 1 query.

    People who were disabled or have left the workspace hear nothing more of it.
    """
    workspace = sweep.experiment.workspace_id
    is_member = Membership.objects.filter(user=OuterRef("user"), workspace=workspace)
    has_star = Star.objects.filter(user=OuterRef("user"), sweep=sweep)
    found = (
        NotificationChannel.objects.filter(is_on=True)
        .annotate(is_member=Exists(is_member), has_star=Exists(has_star))
        .filter(
            Q(workspace=workspace)
            | Q(user__is_active=True, is_member=True)
            | Q(user__is_active=True, user__is_superuser=True)
        )
        .select_related("user")
    )
    return [
        channel
        for channel in found
        if notification.kind in channel.events and _wants(channel, sweep, vars(channel))
    ]


def _wants(channel: NotificationChannel, sweep: Sweep, found: dict[str, Any]) -> bool:
    if channel.user_id is None:
        return True
    if channel.kind == ChannelKind.EMAIL and not (channel.user and channel.user.email):
        return False
    scopes = channel.scopes
    return (
        (Scope.MINE in scopes and sweep.owner_id == channel.user_id)
        or (Scope.STARRED in scopes and found["has_star"])
        # An administrator sees every workspace, but is a member of some.
        or (Scope.ALL in scopes and found["is_member"])
    )


def wanted_events() -> set[str]:
    """Return the events that any channel is told of, so that the others are not looked for."""
    rows = NotificationChannel.objects.filter(is_on=True)
    return {event for events in rows.values_list("events", flat=True) for event in events}


def message_data(
    sweep: Sweep, message: str, facts: dict[str, Any], *, link: Callable[[str], str]
) -> dict[str, Any]:
    """Return the `data` of a message about a sweep; `link` makes an address of a path."""
    workspace, best = sweep.experiment.workspace, best_run_json(sweep)
    counts: dict[str, int] = {}
    for state, n in run_counts(sweep).items():
        if state != "stopped_early" and n:
            counts[badge(state).label.lower()] = n
    data: dict[str, Any] = {
        "message": message,
        "url": link(sweep.get_absolute_url()),
        "workspace": {"name": workspace.name, "slug": workspace.slug},
        "sweep": {
            "id": sweep.public_id,
            "name": sweep.name,
            "experiment": sweep.experiment.name,
            "owner": sweep.owner.get_username() if sweep.owner else None,
            "status": sweep.state,
            "end_reason": sweep.end_reason,
            "metric": sweep.metric_name,
            "goal": sweep.goal,
            "compute": sweep.compute.name,
            "max_total_runs": sweep.max_total_runs,
            "created": time_json(sweep.created_at),
            "started": time_json(sweep.started_at),
            "ended": time_json(sweep.ended_at),
            "duration": duration_of(sweep.started_at, sweep.ended_at),
        },
        "runs": counts,
        "best_run": None,
    }
    if best is not None and sweep.best_run is not None:
        url = link(sweep.best_run.get_absolute_url())
        kept = {key: best[key] for key in ("id", "number", "value", "hyperparameters")}
        data["best_run"] = {**kept, "url": url}
    return data | facts
