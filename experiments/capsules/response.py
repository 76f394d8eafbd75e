"""A capsule on its way to whoever asked for it: the same for pages and REST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from experiments.capsules.page import capsule_html, capsule_name
from experiments.downloads import send_blocks
from experiments.models import Sweep

_BLOCK: Final = 1 << 16


def capsule_response(request: HttpRequest, sweep: Sweep, user: User) -> HttpResponseBase:
    """Send the capsule as a download: it is never shown as a page of the studio."""
    address = request.build_absolute_uri(sweep.get_absolute_url())
    page = capsule_html(sweep, made_by=user.get_username(), address=address)
    return send_blocks(request, _blocks(page.encode()), capsule_name(sweep), "text/html")


def _blocks(data: bytes) -> Iterator[bytes]:
    return (data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK))
