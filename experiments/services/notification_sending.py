"""Send what is due: claim it, send it, store what became of it.

A claim moves `due_at` on by a lease. Whoever dies between claim and result leaves a delivery that
is due again when the lease is over: each arrives at least once, always with the same id.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q

from experiments import clock
from experiments.models import Delivery, DeliveryAttempt, NotificationChannel
from experiments.notify.addresses import AddressRefused, read_url
from experiments.notify.kinds import ChannelKind, EventKind
from experiments.notify.posting import Answer, post
from experiments.notify.signing import signed_headers
from experiments.notify.texts import slack_message
from experiments.notify.waits import MOST_ATTEMPTS, wait_before
from experiments.services.notification_channels import give_up_waiting, signing_secrets
from experiments.services.notification_mail import send_mail
from experiments.services.text import clean_text
from studio.version import NUMBER

logger = logging.getLogger(__name__)

# Longer than any attempt takes.
LEASE: Final = timedelta(minutes=2)
# People get one message at a time, about everything that has come meanwhile.
APART: Final = {ChannelKind.EMAIL: timedelta(seconds=60), ChannelKind.SLACK: timedelta(seconds=10)}
# A receiver that fails for so long is not tried any more.
TURNED_OFF_AFTER: Final = timedelta(days=5)
_MOST_AT_ONCE: Final = 50
_MOST_POSTS: Final = 10
_BUTTONS: Final = (EventKind.TEST, EventKind.ADDRESS)
_MAX_TEXT: Final = 300
_Channel = NotificationChannel


def due_channels(busy: Collection[int] = ()) -> list[int]:
    """Return the channels that something is due for now, those of `busy` left out.

    One query; another one where something waits.
    """
    now = clock.now()
    due = Delivery.objects.filter(outcome=Delivery.Outcome.WAITING, due_at__lte=now)
    if not due.exists():
        return []
    rows = due.exclude(channel__in=list(busy)).filter(_may_send(now))
    return list(rows.order_by("channel").values_list("channel", flat=True).distinct())


def send_due(channel_id: int) -> int:
    """Send what is due for one channel; return how many deliveries were tried."""
    channel = _Channel.objects.select_related("user").filter(pk=channel_id).first()
    if channel is None:
        return 0
    now = clock.now()
    if not channel.is_on:
        give_up_waiting(channel, "It was turned off.")
    rows = Delivery.objects.filter(
        _may_send(now), channel=channel, outcome=Delivery.Outcome.WAITING, due_at__lte=now
    )
    due = list(rows.select_related("notification").order_by("pk")[:_MOST_AT_ONCE])
    buttons = [row for row in due if row.notification.kind in _BUTTONS]
    others = [row for row in due if row.notification.kind not in _BUTTONS]
    tried = sum(_try(channel, [row]) is not None for row in buttons)
    if channel.kind != ChannelKind.WEBHOOK:
        return tried + (len(others) if others and _try(channel, others) else 0)
    for row in others[:_MOST_POSTS]:
        answer = _try(channel, [row])
        tried += 1
        if answer is not None and not answer.is_ok:
            break  # those behind it would wait for the same
    return tried


def _may_send(now: datetime) -> Q:
    """Return the condition that a channel may be sent something: people are not flooded."""
    spaced = Q(notification__kind__in=_BUTTONS) | Q(channel__sent_at__isnull=True)
    spaced |= Q(channel__kind=ChannelKind.WEBHOOK)
    for kind, apart in APART.items():
        spaced |= Q(channel__kind=kind, channel__sent_at__lte=now - apart)
    return spaced


def _try(channel: NotificationChannel, rows: Sequence[Delivery]) -> Answer | None:
    """Make one attempt at deliveries, together; None when somebody else had them."""
    mine = [row for row in rows if _claim(row)]
    if not mine:
        return None
    began = clock.now()
    begin = time.monotonic()
    try:
        answer = _send(channel, mine)
    except Exception as error:
        # Nothing may leave a claimed delivery without a result that people see.
        logger.exception("notification channel %s", channel.public_id)
        text = f"The studio failed at this message ({type(error).__name__}); its log says more."
        answer = Answer(time.monotonic() - begin, error=text)
    _record(channel, mine, answer, began)
    return answer


def _claim(row: Delivery) -> bool:
    rows = Delivery.objects.filter(pk=row.pk, outcome=Delivery.Outcome.WAITING, due_at=row.due_at)
    return bool(rows.update(due_at=clock.now() + LEASE, tries=F("tries") + 1))


def _send(channel: NotificationChannel, rows: Sequence[Delivery]) -> Answer:
    if channel.kind == ChannelKind.EMAIL:
        return send_mail(channel, rows)
    allow_private = settings.STUDIO_WEBHOOK_PRIVATE
    try:
        target = read_url(channel.url, allow_private=allow_private)
    except AddressRefused as refusal:
        return Answer(0.0, error=str(refusal), is_final=True)
    bodies = [row.notification.body or {} for row in rows]
    content = slack_message(bodies) if channel.kind == ChannelKind.SLACK else bodies[0]
    raw = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Sweep-Studio/{NUMBER}",
    }
    if channel.kind == ChannelKind.WEBHOOK:
        headers |= signed_headers(
            signing_secrets(channel),
            message_id=rows[0].notification.public_id,
            timestamp=int(clock.now().timestamp()),
            body=raw,
        )
    return post(target, raw, headers, allow_private=allow_private)


def _record(
    channel: NotificationChannel, rows: Sequence[Delivery], answer: Answer, began: datetime
) -> None:
    now = clock.now()
    with transaction.atomic():
        given_up = False
        for row in rows:
            _note_attempt(row, answer, began, with_others=len(rows) - 1)
            given_up |= _settle(row, answer, now)
        if answer.is_ok:
            _Channel.objects.filter(pk=channel.pk).update(sent_at=now, failing_since=None)
            return
        _Channel.objects.filter(pk=channel.pk, failing_since__isnull=True).update(failing_since=now)
        reason = _why_off(channel, answer, now) if given_up else ""
        if reason:
            _Channel.objects.filter(pk=channel.pk).update(is_on=False, off_reason=reason)
            give_up_waiting(channel, reason)


def _note_attempt(row: Delivery, answer: Answer, began: datetime, *, with_others: int) -> None:
    last = DeliveryAttempt.objects.filter(delivery=row).aggregate(last=Max("number"))["last"]
    text = answer.text
    if with_others:
        text = f"{text} (one message with {with_others} more)".strip()
    DeliveryAttempt.objects.create(
        delivery=row,
        number=(last or 0) + 1,
        began_at=began,
        duration=answer.duration,
        status=answer.status,
        answer=clean_text(text, _MAX_TEXT),
        error=clean_text(answer.error, _MAX_TEXT),
    )


def _settle(row: Delivery, answer: Answer, now: datetime) -> bool:
    """Store what is next for a delivery; tell whether it was given up."""
    mine = Delivery.objects.filter(pk=row.pk)
    if answer.is_ok:
        mine.update(outcome=Delivery.Outcome.SENT, ended_at=now, error="")
        return False
    tries = row.tries + 1
    error = clean_text(answer.error, _MAX_TEXT)
    # Whoever pressed a button looks at the result; nobody waits for a second try.
    is_button = row.notification.kind == EventKind.TEST
    if answer.is_final or is_button or tries >= MOST_ATTEMPTS:
        mine.update(outcome=Delivery.Outcome.FAILED, ended_at=now, error=error)
        return not is_button
    luck = random.random()  # noqa: S311 - it only spreads attempts
    wait = wait_before(tries, luck=luck, asked=answer.retry_after)
    mine.update(due_at=now + timedelta(seconds=wait), error=error)
    return False


def _why_off(channel: NotificationChannel, answer: Answer, now: datetime) -> str:
    if answer.status == 410:
        return "Its receiver answered 410 Gone: it wants no more messages."
    since = channel.failing_since
    if since is not None and since < now - TURNED_OFF_AFTER:
        return f"Nothing has reached it since {since:%d %B %Y}."
    return ""
