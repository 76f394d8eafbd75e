"""How many requests a token, a person or an address may send: headers, and 429 beyond.

What the script of a run sends with the run's own token to be kept is never counted: a report that
is refused would be lost.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.errors import Throttled

from experiments.services.rate_limits import Allowance, take

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ATTRIBUTE: Final = "studio_allowance"


def count_request(request: HttpRequest, name: str, *, of_run: bool = False) -> None:
    """Count a request of somebody who is known.

    Raises:
        Throttled: the quota is used up; `wait` has the seconds.
    """
    if of_run and request.method not in _SAFE_METHODS:
        return
    _count(request, name, settings.STUDIO_RATE_LIMIT)


def count_stranger(request: HttpRequest) -> None:
    """Count a request without valid credentials, by the address that it comes from.

    Raises:
        Throttled: the quota is used up.
    """
    address = request.META.get("REMOTE_ADDR") or "unknown"
    _count(request, f"address:{address}", settings.STUDIO_RATE_LIMIT_STRANGERS)


def add_rate_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Say what is left, where requests are counted."""
    allowance = getattr(request, _ATTRIBUTE, None)
    if isinstance(allowance, Allowance):
        response["RateLimit-Limit"] = str(allowance.limit)
        response["RateLimit-Remaining"] = str(allowance.remaining)
        response["RateLimit-Reset"] = str(allowance.reset)


def _count(request: HttpRequest, name: str, per_minute: int) -> None:
    allowance = take(name, per_minute)
    setattr(request, _ATTRIBUTE, allowance)
    if allowance is not None and not allowance.is_allowed:
        raise Throttled(wait=allowance.wait)
