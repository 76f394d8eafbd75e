"""Reads of one's own account: tokens, sessions, memberships. Nobody sees those of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import QuerySet

from experiments import clock
from experiments.browsers import browser_words
from experiments.models import ApiToken, Membership, SignedInSession
from experiments.queries.json_forms import time_json
from experiments.queries.visible import AnyUser

MOST_SHOWN: Final = 200


def tokens_for(user: AnyUser) -> QuerySet[ApiToken]:
    """Return the API tokens of a person, newest first."""
    return ApiToken.objects.filter(user=user.pk).order_by("-pk")


def token_json(token: ApiToken) -> dict[str, Any]:
    """Return a token as REST shows it, without the secret."""
    return {
        "id": token.pk,
        "name": token.name,
        "scope": token.scope,
        "created": time_json(token.created_at),
        "last_used": time_json(token.last_used_at),
        "expires": time_json(token.expires_at),
        "expired": is_expired(token),
    }


def is_expired(token: ApiToken) -> bool:
    """Tell whether a token has ended by itself."""
    return token.expires_at is not None and token.expires_at <= clock.now()


@dataclass(frozen=True, slots=True)
class BrowserRow:
    """One session as its page shows it."""

    row: SignedInSession
    browser: str
    is_this: bool


def sessions_for(user: AnyUser) -> QuerySet[SignedInSession]:
    """Return the sessions of a person that are alive, used last first."""
    return SignedInSession.objects.filter(user=user.pk, session__expire_date__gt=clock.now())


def browser_rows(user: User, this: str | None) -> list[BrowserRow]:
    """Return them for their page, the one that looks at it first."""
    rows = [
        BrowserRow(row, browser_words(row.agent), row.session_id == this)
        for row in sessions_for(user)[:MOST_SHOWN]
    ]
    return sorted(rows, key=lambda one: not one.is_this)


def memberships_for(user: AnyUser) -> QuerySet[Membership]:
    """Return which workspaces a person is in, and as what."""
    rows = Membership.objects.filter(user=user.pk).select_related("workspace")
    return rows.order_by("workspace__name", "pk")
