"""Tokens with which other machines attach themselves to one compute target."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from experiments import clock
from experiments.models import ComputeTarget, ComputeToken
from experiments.services.access import digest_of
from experiments.services.audit import Act, record

_USED_AT_RESOLUTION: Final = timedelta(minutes=1)


def make_compute_token(
    compute: ComputeTarget,
    *,
    name: str,
    expires: datetime | None = None,
    by: User | None = None,
) -> tuple[ComputeToken, str]:
    """Make a token of a compute target; return its row and the token itself, never seen again."""
    plain = f"sc_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        row = ComputeToken.objects.create(
            compute=compute, name=name, digest=digest_of(plain), expires_at=expires
        )
        _record(Act.COMPUTE_ATTACHED, row, by)
    return row, plain


def find_compute_token(plain: str) -> ComputeToken | None:
    """Return the valid token with this text, its target loaded; notes that it was used."""
    now = clock.now()
    token = (
        ComputeToken.objects.select_related("compute")
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), digest=digest_of(plain))
        .first()
    )
    if token is None:
        return None
    # Once a minute is enough for "last used", and keeps reads from becoming writes.
    if token.last_used_at is None or now - token.last_used_at > _USED_AT_RESOLUTION:
        ComputeToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def revoke_compute_token(token: ComputeToken, *, by: User | None = None) -> bool:
    """Take a token away; its machines reach no file any more. False when it was gone already."""
    with transaction.atomic():
        deleted, _ = ComputeToken.objects.filter(pk=token.pk).delete()
        if deleted:
            _record(Act.COMPUTE_TOKEN_REVOKED, token, by)
    return bool(deleted)


def _record(act: Act, token: ComputeToken, by: User | None) -> None:
    target = token.compute
    details = {"token": token.name, "expires": token.expires_at}
    record(act, by=by, workspace=target.workspace, about=target.name, details=details)
