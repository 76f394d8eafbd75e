"""Tokens and sign-in links: made here, shown once, kept as SHA-256 hashes."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from experiments import clock, log_context
from experiments.models import ApiToken, Run, SignInLink
from experiments.services.audit import Act, record
from experiments.states import RUN_LIVE

SIGN_IN_LINK_LIFE: Final = timedelta(hours=24)
_USED_AT_RESOLUTION: Final = timedelta(minutes=1)


def make_api_token(
    user: User,
    *,
    name: str,
    scope: str = ApiToken.Scope.WRITE,
    expires: datetime | timedelta | None = None,
) -> tuple[ApiToken, str]:
    """Make a bearer token of a person; return its row and the token itself, never seen again."""
    plain = f"st_{secrets.token_urlsafe(32)}"
    until = clock.now() + expires if isinstance(expires, timedelta) else expires
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            name=name,
            scope=ApiToken.Scope(scope),
            digest=digest_of(plain),
            expires_at=until,
        )
        record(Act.TOKEN_CREATED, by=user, **_about(token))
    return token, plain


def find_api_token(plain: str) -> ApiToken | None:
    """Return the valid token with this text, its user loaded; notes that it was used."""
    now = clock.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        .filter(digest=digest_of(plain), user__is_active=True)
        .first()
    )
    if token is None:
        return None
    log_context.note(user_id=token.user_id)
    # Once a minute is enough for "last used", and keeps reads from becoming writes.
    if token.last_used_at is None or now - token.last_used_at > _USED_AT_RESOLUTION:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        token.last_used_at = now
    return token


def make_sign_in_link(user: User, *, life: timedelta = SIGN_IN_LINK_LIFE) -> str:
    """Make a link that signs `user` in once; return its secret part."""
    plain = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, digest=digest_of(plain), expires_at=clock.now() + life)
    return plain


def use_sign_in_link(plain: str) -> User | None:
    """Use up a sign-in link and return whom it signs in; None when used, expired or unknown."""
    now = clock.now()
    links = SignInLink.objects.filter(
        digest=digest_of(plain), used_at__isnull=True, expires_at__gt=now, user__is_active=True
    )
    link = links.select_related("user").first()
    # Of two clicks at once only one finds the row unused.
    if link is None or not links.filter(pk=link.pk).update(used_at=now):
        return None
    return link.user


def revoke_api_token(token: ApiToken, *, by: User | None = None) -> bool:
    """Take a token away, `by` None: its owner did; False when it was gone already."""
    with transaction.atomic():
        deleted, _ = ApiToken.objects.filter(pk=token.pk).delete()
        if deleted:
            record(Act.TOKEN_REVOKED, by=by or token.user, **_about(token))
    return bool(deleted)


def _about(token: ApiToken) -> dict[str, Any]:
    until = token.expires_at and token.expires_at.isoformat()
    details = {"scope": str(token.scope), "of": token.user.get_username(), "expires": until}
    return {"about": token.name, "about_id": str(token.pk), "details": details}


def revoke_sign_in_link(link: SignInLink) -> bool:
    """Make a sign-in link useless; False when it was used or revoked already."""
    deleted, _ = SignInLink.objects.filter(pk=link.pk, used_at__isnull=True).delete()
    return bool(deleted)


def make_run_token() -> tuple[str, str]:
    """Return the token of an attempt at a run, and the digest that is stored of it."""
    plain = f"run_{secrets.token_urlsafe(32)}"
    return plain, digest_of(plain)


def run_for_token(plain: str) -> Run | None:
    """Return the live run that this token belongs to; it dies with the run."""
    run = (
        Run.objects.select_related("sweep__experiment__workspace", "sweep__owner")
        .filter(token_digest=digest_of(plain), state__in=sorted(RUN_LIVE))
        .first()
    )
    if run is not None:
        log_context.note(run_id=run.public_id, sweep_id=run.sweep.public_id)
    return run


def digest_of(plain: str) -> str:
    """Return what is stored of a secret. The secrets are random, so a plain hash is enough."""
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
