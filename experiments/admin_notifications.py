"""Admin of notifications: where they go and what became of them, without URLs and secrets."""

from __future__ import annotations

from django.contrib import admin

from experiments.admin_base import OwnedByStudioAdmin
from experiments.models import Delivery, DeliveryAttempt, Notification, NotificationChannel
from experiments.notify.addresses import mask_url


@admin.register(NotificationChannel)
class NotificationChannelAdmin(OwnedByStudioAdmin[NotificationChannel]):
    """Where notifications go; of a URL only its host and last letters are shown."""

    list_display = ["__str__", "kind", "user", "workspace", "is_on", "sent_at", "failing_since"]
    list_filter = ["kind", "is_on", "workspace"]
    list_select_related = ["user", "workspace"]
    search_fields = ["name", "public_id", "user__username", "workspace__name"]
    show = (
        "name", "public_id", "kind", "user", "workspace", "address", "events", "scopes", "is_on",
        "off_reason", "failing_since", "sent_at", "created_by", "created_at",
    )  # fmt: skip

    @admin.display(description="address")
    def address(self, channel: NotificationChannel) -> str:
        return mask_url(channel.url) if channel.url else ""


@admin.register(Notification)
class NotificationAdmin(OwnedByStudioAdmin[Notification]):
    """What was to be told."""

    list_display = ["public_id", "kind", "sweep", "created_at", "spread_at"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["sweep"]
    search_fields = ["public_id", "message", "sweep__name", "sweep__public_id"]
    show = ("public_id", "kind", "key", "sweep", "message", "created_at", "spread_at")


@admin.register(Delivery)
class DeliveryAdmin(OwnedByStudioAdmin[Delivery]):
    """Notifications on their way."""

    list_display = ["__str__", "notification", "channel", "outcome", "tries", "due_at", "ended_at"]
    list_filter = ["outcome", "created_at"]
    list_select_related = ["notification", "channel"]
    search_fields = ["notification__public_id", "channel__name"]
    show = (
        "notification", "channel", "outcome", "tries", "due_at", "created_at", "ended_at", "error",
    )  # fmt: skip


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(OwnedByStudioAdmin[DeliveryAttempt]):
    """Every try."""

    list_display = ["__str__", "delivery", "began_at", "duration", "status", "error"]
    list_filter = ["began_at", "status"]
    list_select_related = ["delivery"]
    search_fields = ["delivery__channel__name", "error"]
    show = ("delivery", "number", "began_at", "duration", "status", "answer", "error")
