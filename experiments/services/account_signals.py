"""What follows from events of Django's accounts, whoever causes them: pages, tests, the shell."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save
from django.http import HttpRequest

from experiments.services.audit import Act, record
from experiments.services.sessions import end_sessions, note_signed_in


def connect() -> None:
    """Listen; once, when the applications are ready."""
    user_logged_in.connect(_signed_in, dispatch_uid="experiments.signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="experiments.signed_out")
    post_save.connect(_saved, sender=User, dispatch_uid="experiments.user_saved")


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    note_signed_in(request, user)


def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        record(Act.SIGNED_OUT, by=user)


def _saved(instance: User, *, created: bool, raw: bool = False, **_: Any) -> None:
    # Django lets nobody in who is not active; sockets that are open learn of it here.
    if not instance.is_active and not created and not raw:
        end_sessions(instance)
