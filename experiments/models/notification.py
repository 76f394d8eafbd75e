"""Notifications: where they go, what is to be told, each delivery and its attempts.

`Notification` is the outbox: written in the transaction of the change that it tells of. Address and
secret part of a channel are written and used, never shown.
"""

from __future__ import annotations

import secrets
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q

from experiments import clock
from experiments.models.sweep import Sweep
from experiments.models.workspace import Workspace
from experiments.notify.kinds import ChannelKind

_ID_BYTES: Final = 12


def new_channel_id() -> str:
    """Return a fresh public id of a channel."""
    return f"wh_{secrets.token_hex(_ID_BYTES)}"


def new_message_id() -> str:
    """Return what a receiver knows a message by, however often it comes."""
    return f"msg_{secrets.token_hex(_ID_BYTES)}"


def new_secret_key() -> str:
    """Return a webhook's own part of its secret."""
    return secrets.token_urlsafe(18)


class NotificationChannel(models.Model):
    """Where notifications of one person or one workspace go: e-mail, Slack or signed webhook."""

    class Kind(models.TextChoices):
        EMAIL = ChannelKind.EMAIL.value
        SLACK = ChannelKind.SLACK.value
        WEBHOOK = ChannelKind.WEBHOOK.value

    public_id = models.CharField(max_length=40, unique=True, default=new_channel_id, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notification_channels",
    )
    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notification_channels",
    )
    name = models.CharField(max_length=120)
    url = models.TextField(blank=True, editable=False)
    secret_key = models.CharField(max_length=40, default=new_secret_key, editable=False)
    # After a change of the secret both sign for a while.
    previous_key = models.CharField(max_length=40, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    events = models.JSONField(default=list, help_text="Which events: notify.kinds.")
    scopes = models.JSONField(
        default=list, blank=True, help_text="Of a person: mine, starred, all. Of a workspace: none."
    )
    is_on = models.BooleanField(default=True, help_text="Off: events are not sent to it.")
    off_reason = models.TextField(blank=True, help_text="Why the studio turned it off by itself.")
    failing_since = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="Last message; spaces them.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="channel_of_a_person_or_a_workspace",
                condition=Q(user__isnull=False, workspace__isnull=True)
                | Q(user__isnull=True, workspace__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(kind="email"), name="channel_email_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Notification(models.Model):
    """Something to be told, once: a row of the outbox, and afterwards what was said."""

    public_id = models.CharField(max_length=40, unique=True, default=new_message_id, editable=False)
    sweep = models.ForeignKey(
        Sweep, on_delete=models.CASCADE, null=True, related_name="notifications"
    )
    kind = models.CharField(max_length=24)
    key = models.CharField(max_length=60, help_text="What makes it the same event of its sweep.")
    message = models.TextField(blank=True, help_text="One sentence, as of then.")
    facts = models.JSONField(default=dict)
    body = models.JSONField(null=True, help_text="What is sent; made when it is spread.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    spread_at = models.DateTimeField(
        null=True, help_text="When deliveries were made of it; empty: it waits for that."
    )

    class Meta:
        ordering = ["pk"]
        indexes = [
            # services.notification_spread: few rows among many.
            models.Index(
                fields=["created_at"], condition=Q(spread_at__isnull=True), name="notification_due"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sweep", "kind", "key"], name="notification_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class Delivery(models.Model):
    """One notification on its way to one channel."""

    class Outcome(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="deliveries"
    )
    channel = models.ForeignKey(
        NotificationChannel, on_delete=models.CASCADE, related_name="deliveries"
    )
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.WAITING)
    tries = models.PositiveIntegerField(default=0, help_text="Since it was asked for.")
    due_at = models.DateTimeField(help_text="Not before; while it is tried: given up by then.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Why it failed, or why it has to wait.")

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        indexes = [
            # queries.notifications: what is due, few rows among many.
            models.Index(fields=["due_at"], condition=Q(outcome="waiting"), name="delivery_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["channel", "notification"], name="delivery_once"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class DeliveryAttempt(models.Model):
    """One try at a delivery, as the log shows it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    began_at = models.DateTimeField()
    duration = models.FloatField(help_text="Seconds.")
    status = models.PositiveIntegerField(null=True, blank=True, help_text="Of the answer.")
    answer = models.TextField(blank=True, help_text="How the answer began.")
    error = models.TextField(blank=True, help_text="Empty: it was taken.")

    class Meta:
        ordering = ["delivery_id", "number"]

    def __str__(self) -> str:
        return f"attempt {self.number}"
