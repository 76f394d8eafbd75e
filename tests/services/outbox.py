"""Things to tell, and sending them at once, for tests of notifications."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from experiments import clock
from experiments.models import Delivery, NotificationChannel
from experiments.services.notification_sending import due_channels, send_due
from experiments.services.notification_spread import spread_notifications
from experiments.services.transitions import move_sweep
from experiments.states import EndReason, SweepState
from tests.factories import make_running_run, make_sweep, report


def end_sweep(name: str = "digits", **best: Any) -> None:
    """Let a sweep end with one run that has reported 0.5, and make deliveries of it."""
    sweep = make_sweep(name=name)
    report(make_running_run(sweep, **best), [0.5])
    move_sweep(sweep.pk, SweepState.COMPLETED, end_reason=EndReason.MAX_RUNS, reason="All ended.")
    spread_notifications()


def make_due(delta: timedelta = timedelta()) -> None:
    """Let everything that waits be due now, and the last message be some time ago."""
    Delivery.objects.filter(outcome="waiting").update(due_at=clock.now())
    for row in NotificationChannel.objects.exclude(sent_at=None):
        NotificationChannel.objects.filter(pk=row.pk).update(sent_at=row.sent_at - delta)


def send_all() -> int:
    """Send what is due; return how many deliveries were tried."""
    return sum(send_due(key) for key in due_channels())


def states() -> list[str]:
    """Return what became of all deliveries, in order."""
    return list(Delivery.objects.order_by("pk").values_list("outcome", flat=True))
