"""Keep the log of deliveries bounded: by number for each channel, and by age."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Count, Q

from experiments import clock
from experiments.models import Delivery, DeliveryAttempt, Notification
from experiments.notify.kinds import EventKind

KEPT_OF_CHANNEL: Final = 200
KEPT_ATTEMPTS: Final = 30
KEPT_FOR: Final = timedelta(days=30)
# Whoever reads the log of a failure needs it longer than the outbox needs what nobody wanted.
_UNWANTED: Final = timedelta(days=1)


def clean_log() -> int:
    """Remove old deliveries, and notifications that have none; return how many rows went."""
    now = clock.now()
    ended = Delivery.objects.exclude(outcome=Delivery.Outcome.WAITING)
    removed = ended.filter(created_at__lt=now - KEPT_FOR).delete()[0]
    for channel, n in _counts(KEPT_OF_CHANNEL):
        keys = ended.filter(channel=channel).order_by("pk").values_list("pk", flat=True)
        removed += Delivery.objects.filter(pk__in=list(keys[: n - KEPT_OF_CHANNEL])).delete()[0]
    for delivery, n in _attempt_counts(KEPT_ATTEMPTS):
        attempts = DeliveryAttempt.objects.filter(delivery=delivery).order_by("number")
        oldest = attempts.values_list("pk", flat=True)[: n - KEPT_ATTEMPTS]
        removed += attempts.filter(pk__in=list(oldest)).delete()[0]
    unwanted = Notification.objects.filter(
        deliveries__isnull=True, spread_at__lt=now - _UNWANTED
    ).exclude(
        # What was said of a sweep that goes on keeps it from being said again.
        Q(kind__in=(EventKind.NEW_BEST, EventKind.STUCK, EventKind.COMPUTE_LOST))
        & Q(sweep__ended_at__isnull=True)
    )
    return removed + unwanted.delete()[0]


def _counts(most: int) -> list[tuple[int, int]]:
    rows = Delivery.objects.order_by().values_list("channel").annotate(n=Count("pk"))
    return list(rows.filter(n__gt=most))


def _attempt_counts(most: int) -> list[tuple[int, int]]:
    rows = DeliveryAttempt.objects.order_by().values_list("delivery").annotate(n=Count("pk"))
    return list(rows.filter(n__gt=most))
