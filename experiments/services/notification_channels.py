"""Channels as people handle them: made, changed, tested, given another secret, removed.

The URL and the secret of a webhook go in here and out to its receiver, nowhere else: the secret is
returned once, when it is made.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from experiments import clock
from experiments.models import Delivery, Notification, NotificationChannel, Workspace
from experiments.models.notification import new_secret_key
from experiments.notify.addresses import AddressRefused, mask_url, read_url
from experiments.notify.kinds import EVENTS, SCOPES, ChannelKind, EventKind
from experiments.notify.mail_server import is_mail_address
from experiments.notify.signing import derive_secret
from experiments.problems import Problem, ProblemsError
from experiments.services.accounts import note_address
from experiments.services.audit import Act, record
from experiments.services.notification_links import absolute, address_url
from experiments.services.refused import Refused
from experiments.storable import is_storable

MAX_NAME: Final = 120
MOST_OF_WORKSPACE: Final = 20
MOST_OF_PERSON: Final = 10
# Both secrets sign for so long, so that a receiver can be changed without a gap.
OVERLAP: Final = timedelta(hours=24)
_TESTS_A_MINUTE: Final = 6
_MAILS_AN_HOUR: Final = 5
_Channel = NotificationChannel
_WEBHOOKS: Final = (ChannelKind.WEBHOOK, ChannelKind.SLACK)


@dataclass(frozen=True, slots=True)
class ChannelFields:
    """What people say of a webhook; None in a change: stays as it is."""

    name: str | None = None
    url: str | None = None
    events: Iterable[str] | None = None
    scopes: Iterable[str] | None = None
    is_on: bool | None = None


def create_webhook(
    kind: str, fields: ChannelFields, *, user: User, workspace: Workspace | None
) -> tuple[NotificationChannel, str]:
    """Make a webhook of a workspace, or of a person; return it with its secret, "" without one.

    Raises:
        ProblemsError: everything that is wrong with it.
        Refused: there are as many as there may be.
    """
    owner: dict[str, Any] = {"user": user} if workspace is None else {"workspace": workspace}
    most = MOST_OF_PERSON if workspace is None else MOST_OF_WORKSPACE
    problems: list[Problem] = []
    if kind not in _WEBHOOKS:
        allowed = ", ".join(_WEBHOOKS)
        problems.append(Problem("kind", f"kind is {kind[:40]!r}; use one of {allowed}."))
    values = _read(fields, is_new=True, is_personal=workspace is None, problems=problems)
    if problems:
        raise ProblemsError(problems)
    with transaction.atomic():
        rows = _Channel.objects.filter(**owner, kind__in=_WEBHOOKS)
        if rows.count() >= most:
            raise Refused(f"There are {most} webhooks already; delete one first.")
        channel = _Channel.objects.create(kind=kind, created_by=user, **owner, **values)
        _record(Act.WEBHOOK_CREATED, channel, user)
    return channel, current_secret(channel)


def change_channel(
    channel: NotificationChannel, fields: ChannelFields, *, user: User | None = None
) -> None:
    """Change what is given; what was waiting for a channel that is turned off is given up.

    `user` None: its person did, by a link in a message.

    Raises:
        ProblemsError: everything that is wrong with it; nothing was changed.
    """
    problems: list[Problem] = []
    values = _read(fields, is_new=False, is_personal=channel.user_id is not None, problems=problems)
    if problems:
        raise ProblemsError(problems)
    if values.get("is_on") is True:
        values |= {"off_reason": "", "failing_since": None}
    if not values:
        return
    with transaction.atomic():
        _Channel.objects.filter(pk=channel.pk).update(**values)
        if values.get("is_on") is False:
            give_up_waiting(channel, "It was turned off.")
        # Names alone: a URL may carry a password.
        _record(Act.WEBHOOK_CHANGED, channel, user, changed=sorted(values))
    for name, value in values.items():
        setattr(channel, name, value)


def set_email(user: User, *, is_on: bool, events: Iterable[str], scopes: Iterable[str]) -> None:
    """Say which e-mails a person gets.

    Raises:
        ProblemsError: what they are to be about is not said, or is not known.
    """
    channel = email_channel_of(user)
    fields = ChannelFields(events=list(events), scopes=list(scopes), is_on=is_on)
    if not is_on and not fields.events:
        fields = ChannelFields(is_on=False)
    change_channel(channel, fields)


def email_channel_of(user: User) -> NotificationChannel:
    """Return the e-mail channel of a person; made, and off, when there is none."""
    channel, _ = _Channel.objects.get_or_create(
        user=user,
        kind=ChannelKind.EMAIL,
        defaults={"name": "E-mail", "is_on": False, "created_by": user},
    )
    return channel


def ask_for_address(user: User, address: str) -> None:
    """Send a link to a new e-mail address; opening it makes it the address of the account.

    Raises:
        ProblemsError: it is no address, or the studio sends no e-mail.
        Refused: there were too many of them.
    """
    address = address.strip()
    if settings.STUDIO_MAIL_SERVER is None:
        raise ProblemsError([Problem("address", "This studio sends no e-mail.")])
    if not is_mail_address(address) or not is_storable(address):
        text = f"{address[:80]!r} is no e-mail address; use one like name@example.org."
        raise ProblemsError([Problem("address", text)])
    channel = email_channel_of(user)
    _check_rate(channel, EventKind.ADDRESS, _MAILS_AN_HOUR, timedelta(hours=1))
    data = {
        "message": f"{user.get_username()} wants notifications of Sweep Studio here. Open this "
        "link within a day, signed in, to confirm it; otherwise do nothing.",
        "url": address_url(user, address),
        "address": address,
    }
    _send_now(channel, EventKind.ADDRESS, data)


def confirm_address(user: User, address: str, instead_of: str) -> bool:
    """Make a confirmed address that of the account; False when it was changed meanwhile."""
    with transaction.atomic():
        if not User.objects.filter(pk=user.pk, email=instead_of).update(email=address):
            return False
        note_address(user, address, instead_of)
    return True


def rotate_secret(channel: NotificationChannel, *, user: User | None = None) -> str:
    """Give a signed webhook another secret and return it; the old one signs as well for a day."""
    if channel.kind != ChannelKind.WEBHOOK:
        raise Refused("Only signed webhooks have a secret.")
    with transaction.atomic():
        _Channel.objects.filter(pk=channel.pk).update(
            previous_key=F("secret_key"),
            previous_until=clock.now() + OVERLAP,
            secret_key=new_secret_key(),
        )
        _record(Act.WEBHOOK_SECRET_CHANGED, channel, user)
    channel.refresh_from_db()
    return current_secret(channel)


def delete_channel(channel: NotificationChannel, *, user: User | None = None) -> bool:
    """Remove a channel with its log; False when it was gone already."""
    with transaction.atomic():
        deleted, _ = _Channel.objects.filter(pk=channel.pk).delete()
        if deleted:
            _record(Act.WEBHOOK_DELETED, channel, user)
    return bool(deleted)


def _record(
    act: Act, channel: NotificationChannel, user: User | None, *, changed: Iterable[str] = ()
) -> None:
    if channel.kind not in _WEBHOOKS:
        return  # which e-mails a person gets is no business of others
    details = {"address": mask_url(channel.url), **({"changed": list(changed)} if changed else {})}
    record(
        act,
        by=user or channel.user,
        workspace=channel.workspace,
        about=channel.name,
        about_id=channel.public_id,
        details=details,
    )


def test_channel(channel: NotificationChannel) -> Delivery:
    """Send a test message, also through a channel that is off.

    Raises:
        Refused: there were too many of them just now.
    """
    _check_rate(channel, EventKind.TEST, _TESTS_A_MINUTE, timedelta(minutes=1))
    data = {
        "message": f"Somebody pressed the test button of “{channel.name}”. It works.",
        "url": absolute("/"),
    }
    return _send_now(channel, EventKind.TEST, data)


test_channel.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test


def redeliver(delivery: Delivery) -> None:
    """Send something once more, with the same id and the same body.

    Raises:
        Refused: it is on its way.
    """
    rows = Delivery.objects.filter(pk=delivery.pk).exclude(outcome=Delivery.Outcome.WAITING)
    if not rows.update(
        outcome=Delivery.Outcome.WAITING, due_at=clock.now(), tries=0, ended_at=None, error=""
    ):
        raise Refused("It is waiting to be sent already.")


def current_secret(channel: NotificationChannel) -> str:
    """Return the secret that signs what is sent to a webhook; "" where nothing is signed."""
    secrets_ = signing_secrets(channel)
    return secrets_[0] if secrets_ else ""


def signing_secrets(channel: NotificationChannel) -> list[str]:
    """Return every secret of a signed webhook that is valid now, the newest first."""
    if channel.kind != ChannelKind.WEBHOOK:
        return []
    keys = [channel.secret_key]
    if channel.previous_until is not None and channel.previous_until > clock.now():
        keys.append(channel.previous_key)
    return [derive_secret(settings.SECRET_KEY, key) for key in keys]


def give_up_waiting(channel: NotificationChannel, reason: str) -> None:
    """Give up what waits for a channel that is not to be used any more; tests still go."""
    Delivery.objects.filter(channel=channel, outcome=Delivery.Outcome.WAITING).exclude(
        notification__kind__in=(EventKind.TEST, EventKind.ADDRESS)
    ).update(outcome=Delivery.Outcome.FAILED, ended_at=clock.now(), error=reason)


def _send_now(channel: NotificationChannel, kind: EventKind, data: dict[str, Any]) -> Delivery:
    now = clock.now()
    with transaction.atomic():
        notification = Notification.objects.create(
            kind=kind,
            key=secrets.token_hex(8),
            message=data["message"],
            body={"type": kind, "timestamp": now.isoformat(), "data": data},
            spread_at=now,
        )
        return Delivery.objects.create(notification=notification, channel=channel, due_at=now)


def _check_rate(channel: NotificationChannel, kind: EventKind, most: int, span: timedelta) -> None:
    since = clock.now() - span
    rows = Delivery.objects.filter(channel=channel, notification__kind=kind, created_at__gt=since)
    if rows.count() >= most:
        minutes = int(span.total_seconds() // 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        raise Refused(f"There were {most} of them within {wait}; wait before the next one.")


def _read(
    fields: ChannelFields, *, is_new: bool, is_personal: bool, problems: list[Problem]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if is_new or fields.name is not None:
        values["name"] = _read_name(fields.name or "", problems)
    if is_new or fields.url is not None:
        values["url"] = _read_url(fields.url or "", problems)
    if is_new or fields.events is not None:
        values["events"] = _read_words("events", fields.events, EVENTS, problems)
    if is_personal and (is_new or fields.scopes is not None):
        values["scopes"] = _read_words("sweeps", fields.scopes, SCOPES, problems)
    elif not is_personal and fields.scopes:
        text = "Webhooks of a workspace are told of all its sweeps; leave sweeps out."
        problems.append(Problem("sweeps", text))
    if fields.is_on is not None:
        values["is_on"] = fields.is_on
    return values


def _read_name(text: str, problems: list[Problem]) -> str:
    name = text.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable() or not is_storable(name):
        message = f"The name is {name[:40]!r}; use 1 to {MAX_NAME} characters on one line."
        problems.append(Problem("name", message))
    return name


def _read_url(text: str, problems: list[Problem]) -> str:
    try:
        read_url(text, allow_private=settings.STUDIO_WEBHOOK_PRIVATE)
    except AddressRefused as refusal:
        problems.append(Problem("url", str(refusal)))
    return text.strip()


def _read_words(
    path: str, given: Iterable[str] | None, known: dict[str, Any], problems: list[Problem]
) -> list[str]:
    chosen = list(dict.fromkeys(given or []))
    wrong = [word for word in chosen if word not in known]
    allowed = ", ".join(known)
    if wrong:
        problems.append(Problem(path, f"{path} has {wrong[0][:40]!r}; use some of {allowed}."))
    elif not chosen:
        problems.append(Problem(path, f"{path} is empty; use at least one of {allowed}."))
    return [word for word in known if word in chosen]
