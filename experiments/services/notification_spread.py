"""Make deliveries of what is to be told: one for each channel that wants to hear of it.

Each notification is settled in one transaction, so that nobody is told twice of it and whoever dies
leaves it as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, transaction
from django.urls import reverse

from experiments import clock
from experiments.models import Delivery, Notification, NotificationChannel, Sweep
from experiments.notify.kinds import ChannelKind, EventKind
from experiments.queries.notifications import listeners, message_data
from experiments.services.notification_links import absolute

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 200
# Runs of a machine are lost one after another: what comes together is told together.
_GATHER: Final = timedelta(seconds=5)
_LOST_APART: Final = timedelta(seconds=60)
# People get what ends together in one message.
_SETTLE: Final = timedelta(seconds=3)


def spread_notifications() -> int:
    """Make deliveries of everything that is to be told; return how many notifications."""
    rows = Notification.objects.filter(spread_at__isnull=True).order_by("pk")
    # Asked every second, and nearly always nothing waits: the long query takes six times as long.
    if not rows.exists():
        return 0
    waiting = list(rows.select_related(*_SWEEP)[:_AT_ONCE])
    done = 0
    for group in _groups(waiting, clock.now()):
        try:
            with transaction.atomic():
                done += _spread(group)
        except DatabaseError:
            raise  # it is away or busy: the next look goes on
        except Exception:
            # One that cannot be told must not hold up all others for ever.
            logger.exception("notification %s cannot be told", group[0].public_id)
            _claim(group)
    return done


_SWEEP: Final = (
    "sweep__experiment__workspace", "sweep__owner", "sweep__compute", "sweep__best_run"
)  # fmt: skip


def _groups(waiting: Iterable[Notification], now: datetime) -> list[list[Notification]]:
    """Return what is told together: lost runs of one sweep; everything else by itself."""
    groups: list[list[Notification]] = []
    lost: dict[int, list[Notification]] = {}
    for row in waiting:
        if row.kind == EventKind.COMPUTE_LOST and row.sweep_id is not None:
            lost.setdefault(row.sweep_id, []).append(row)
        else:
            groups.append([row])
    ripe = {
        pk: rows for pk, rows in lost.items() if min(r.created_at for r in rows) <= now - _GATHER
    }
    told = Notification.objects.filter(
        sweep__in=list(ripe),
        kind=EventKind.COMPUTE_LOST,
        spread_at__gt=now - _LOST_APART,
        deliveries__isnull=False,
    )
    lately = set(told.values_list("sweep_id", flat=True)) if ripe else set()
    return groups + [rows for pk, rows in ripe.items() if pk not in lately]


def _spread(group: list[Notification]) -> int:
    if not _claim(group):
        return 0  # another process was faster
    first = group[0]
    sweep = first.sweep
    if sweep is None or sweep.kind != Sweep.Kind.SWEEP or sweep.compute.is_simulated:
        return 0
    channels = listeners(first, sweep)
    if not channels:
        return 0
    body = message_of(first, _data(group, sweep))
    Notification.objects.filter(pk=first.pk).update(body=body)
    deliver(first, channels)
    return 1


def _claim(group: list[Notification]) -> bool:
    keys = [row.pk for row in group]
    rows = Notification.objects.filter(pk__in=keys, spread_at__isnull=True)
    return rows.update(spread_at=clock.now()) == len(keys)


def deliver(notification: Notification, channels: Iterable[NotificationChannel]) -> None:
    """Let a notification go to channels, as soon as each of them may be sent something."""
    now = clock.now()
    rows = [
        Delivery(
            notification=notification,
            channel=channel,
            due_at=now if channel.kind == ChannelKind.WEBHOOK else now + _SETTLE,
        )
        for channel in channels
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)


def message_of(notification: Notification, data: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON that is sent of a notification."""
    return {
        "type": notification.kind,
        "timestamp": notification.created_at.isoformat(),
        "data": data,
    }


def _data(group: list[Notification], sweep: Sweep) -> dict[str, Any]:
    first = group[0]
    facts: dict[str, Any] = {}
    number = first.facts.get("number")
    if "run" in first.facts and len(group) == 1:
        url = absolute(reverse("run", args=[first.facts["run"]]))
        facts["run"] = {"id": first.facts["run"], "number": number, "url": url}
    message = first.message
    if first.kind == EventKind.COMPUTE_LOST:
        runs = [row for row in group if "run" in row.facts]
        facts["lost_runs"] = len(runs)
        message = _lost_message(group, runs)
    return message_data(sweep, message, facts, link=absolute)


def _lost_message(group: list[Notification], runs: list[Notification]) -> str:
    if len(runs) < 2:
        return " ".join(dict.fromkeys(row.message for row in group))
    numbers = ", ".join(str(row.facts.get("number")) for row in runs[:20])
    more = f" and {len(runs) - 20} more" if len(runs) > 20 else ""
    hosts = ", ".join(sorted({str(row.facts.get("host")) for row in runs} - {""}))
    where = f" on {hosts}" if hosts else ""
    return f"Runs {numbers}{more} lost their worker{where}. {runs[0].message}"
