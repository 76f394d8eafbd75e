"""Remembers requests by their Idempotency-Key, so that one sent again takes no effect again.

An attempt claims its key first, in a transaction of its own: of two at once one works and the other
is told so. Its answer is stored with what it made. What died on the way leaves a claim that the
next attempt takes over after a while; should the first one live after all, it finds its claim gone
and what it did is rolled back.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from experiments import clock
from experiments.models import IdempotentRequest

KEPT_FOR: Final = timedelta(hours=24)
# Whoever claimed a key before that is taken for dead; if it is not, its transaction is rolled back.
ABANDONED_AFTER: Final = timedelta(minutes=1)
# The same for what copies files and cannot be rolled back in whole.
LONG_ABANDONED_AFTER: Final = timedelta(minutes=15)
_MOST_FORGOTTEN: Final = 100


class KeyInUseError(Exception):
    """A request with this key is being worked on."""


class KeyReusedError(Exception):
    """The key was sent before, with another request."""


class ClaimLostError(Exception):
    """Another attempt has taken this request over."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a request."""

    row: int
    secret: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the request was answered with."""

    status: int
    text: str


def claim_key(
    caller: str, key: str, digest: str, *, patience: timedelta = ABANDONED_AFTER
) -> Claim | StoredAnswer:
    """Claim a key for a request; a request that has its answer gets that one again.

    `patience` is how long another attempt may take before its claim is taken over.

    Raises:
        KeyInUseError: another attempt works on it.
        KeyReusedError: the key belongs to another request.
    """
    now = clock.now()
    _forget(now)
    fresh = IdempotentRequest(
        caller=caller,
        key=key,
        digest=digest,
        claim=secrets.token_hex(16),
        claimed_at=now,
        created_at=now,
    )
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:
        return _known(fresh, patience)
    return Claim(fresh.pk, fresh.claim)


def store_answer(claim: Claim, status: int, text: str) -> None:
    """Keep the answer of a claimed request.

    Raises:
        ClaimLostError: somebody else has taken it over, and may have answered already.
    """
    ours = IdempotentRequest.objects.filter(pk=claim.row, claim=claim.secret, status=None)
    if not ours.update(status=status, answer=text):
        raise ClaimLostError


def release_claim(claim: Claim) -> None:
    """Forget a request that took no effect: it may be sent again, corrected, with the same key."""
    IdempotentRequest.objects.filter(pk=claim.row, claim=claim.secret, status=None).delete()


def _known(wanted: IdempotentRequest, patience: timedelta) -> Claim | StoredAnswer:
    found = IdempotentRequest.objects.filter(caller=wanted.caller, key=wanted.key).first()
    if found is None:
        # Released a moment ago: the next attempt finds the key free.
        raise KeyInUseError
    if found.digest != wanted.digest:
        raise KeyReusedError
    if found.status is not None:
        return StoredAnswer(found.status, found.answer)
    abandoned = IdempotentRequest.objects.filter(
        pk=found.pk, claim=found.claim, status=None, claimed_at__lt=wanted.claimed_at - patience
    )
    if not abandoned.update(claim=wanted.claim, claimed_at=wanted.claimed_at):
        raise KeyInUseError
    return Claim(found.pk, wanted.claim)


def _forget(now: datetime) -> None:
    """Remove what is a day old: a few at a time, since every new key does it."""
    old = IdempotentRequest.objects.filter(created_at__lt=now - KEPT_FOR)
    keys = list(old.order_by("created_at").values_list("pk", flat=True)[:_MOST_FORGOTTEN])
    if keys:
        IdempotentRequest.objects.filter(pk__in=keys).delete()
