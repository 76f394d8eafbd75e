"""Sessions of browsers: begun at sign-in, noted while they are used, ended from anywhere.

Django keeps the session and its cookie; the row beside it says where and with what. Whoever ends
a session tells the sockets of that person to look whether they may still listen.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Final, cast

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from experiments import clock
from experiments.client_address import client_address
from experiments.models import SignedInSession
from experiments.services import broadcast
from experiments.services.audit import Act, record
from experiments.services.text import clean_text

Way = SignedInSession.Way
BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
# How late "last seen" may be: a write for every request would cost more than it tells.
SEEN_SECONDS: Final = 300.0
_MOST_REMEMBERED: Final = 10_000
_MOST_FORGOTTEN: Final = 500
_AGENT: Final = 400


class _Seen:
    """When this process noted which session last; a process that is new notes each once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at: dict[str, float] = {}

    def is_due(self, key: str) -> bool:
        now = time.monotonic()
        with self.lock:
            if now - self.at.get(key, -SEEN_SECONDS) < SEEN_SECONDS:
                return False
            if len(self.at) >= _MOST_REMEMBERED:
                self.at.clear()
            self.at[key] = now
            return True


_seen: Final = _Seen()


def person_group(user_id: int) -> str:
    """Return the channel group of the sockets of a person."""
    return f"person.{user_id}"


def begin_session(request: HttpRequest, user: User, way: Way) -> None:
    """Sign somebody in, under a key that nobody knew before."""
    if request.user.is_authenticated and request.user.pk == user.pk:
        # Django keeps the key of somebody who signs in once more.
        request.session.cycle_key()
    request.sign_in_way = way  # type: ignore[attr-defined]  # read at the signal
    login(request, user, backend=BACKEND)


def note_signed_in(request: HttpRequest, user: User) -> None:
    """Write down a session that has just begun; Django tells of every one, whoever began it."""
    way = Way(getattr(request, "sign_in_way", Way.UNKNOWN))
    with transaction.atomic():
        note_session(request, user, way=way)
        agent = _agent(request)
        record(Act.SIGNED_IN, by=user, details={"way": way.label, "browser": agent})


def note_session(request: HttpRequest, user: User, *, way: Way | None = None) -> None:
    """Make the row of the session of this request, which may have got another key just now."""
    request.session.save()
    key = cast(str, request.session.session_key)
    _seen.is_due(key)
    values: dict[str, Any] = {"user": user, **_where(request)}
    if way is not None:
        values["way"] = way
    SignedInSession.objects.update_or_create(session_id=key, defaults=values)


def note_seen(request: HttpRequest, user: User) -> None:
    """Note that a session is in use, every few minutes."""
    key = request.session.session_key
    if key is None or not _seen.is_due(key):
        return
    rows = SignedInSession.objects.filter(session_id=key)
    if rows.update(**_where(request)):
        return
    # A session from before there were rows; one that was ended meanwhile stays ended.
    if Session.objects.filter(pk=key).exists():
        SignedInSession.objects.get_or_create(
            session_id=key, defaults={"user": user, **_where(request)}
        )


def who_is_signed_in(user_id: int, key: str | None) -> User | None:
    """Return the person of a socket while they may come in and their session goes on."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or key is None:
        return user
    is_alive = Session.objects.filter(pk=key, expire_date__gt=clock.now()).exists()
    return user if is_alive else None


def end_session(row: SignedInSession, *, by: User) -> bool:
    """End one session; False when it had ended already."""
    with transaction.atomic():
        deleted, _ = Session.objects.filter(pk=row.session_id).delete()
        if deleted:
            record(Act.SESSION_ENDED, by=by, about=row.user.get_username())
    _tell_sockets(row.user_id)
    return bool(deleted)


def end_sessions(user: User, *, by: User | None = None, keep: str | None = None) -> int:
    """End the sessions of a person, all but the one with the key `keep`; return how many."""
    with transaction.atomic():
        rows = SignedInSession.objects.filter(user=user).exclude(session_id=keep or "")
        keys = list(rows.values_list("session_id", flat=True))
        if keys:
            Session.objects.filter(pk__in=keys).delete()
            if by is not None:
                details = {"sessions": len(keys)}
                record(Act.SESSION_ENDED, by=by, about=user.get_username(), details=details)
    _tell_sockets(user.pk)
    return len(keys)


def forget_expired_sessions() -> None:
    """Remove some of the sessions that ended by themselves, with their rows."""
    rows = Session.objects.filter(expire_date__lte=clock.now())
    keys = list(rows.values_list("pk", flat=True)[:_MOST_FORGOTTEN])
    if keys:
        Session.objects.filter(pk__in=keys).delete()


def _tell_sockets(user_id: int) -> None:
    hint = {"type": "person.changed"}
    transaction.on_commit(lambda: _publish(user_id, hint))


def _publish(user_id: int, hint: dict[str, str]) -> None:
    broadcast.publish([person_group(user_id)], hint)


def _where(request: HttpRequest) -> dict[str, Any]:
    return {
        "address": clean_text(client_address(), 64),
        "agent": _agent(request),
        "seen_at": clock.now(),
    }


def _agent(request: HttpRequest) -> str:
    return clean_text(str(request.META.get("HTTP_USER_AGENT", "")), _AGENT)
