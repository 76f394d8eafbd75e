"""Answers about a sweep that all who look at it share: figures and curves, as bytes.

Only what depends on nothing but the sweep and the question may go through here: who asks has been
checked before, and nothing of theirs may be in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers

from experiments.kept_bodies import Finished, KeptBodies
from experiments.models import Sweep

# Packed: a figure of a thousand runs has some 50 kB.
KEPT: Final = KeptBodies(4_000_000)


def finished_json(
    request: HttpRequest,
    sweep: Sweep,
    question: Sequence[Any],
    make: Callable[[], dict[str, Any]],
    *,
    tick: int = 0,
) -> HttpResponseBase:
    """Return what `make` says as JSON, 304 where the client has it; made once for all who ask.

    `question` is everything beside the sweep's cursor and the `tick` of a clock that it depends
    on; the row of the sweep was read before.
    """
    key = sha256(json.dumps(question).encode()).hexdigest()[:16]
    unchanged = get_conditional_response(request, etag=_etag((sweep.cursor, tick), key))
    if unchanged is not None:
        return unchanged
    found = KEPT.get((sweep.public_id, key), (sweep.cursor, tick), lambda: _bytes(make()))
    return _response(request, found, _etag(found.version, key))


def _etag(version: tuple[int, ...], key: str) -> str:
    return f'W/"{"-".join(map(str, version))}-{key}"'


def _bytes(found: dict[str, Any]) -> bytes:
    return json.dumps(found, separators=(",", ":"), allow_nan=False).encode()


def _response(request: HttpRequest, found: Finished, etag: str) -> HttpResponse:
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(
        found.packed if is_packed else found.plain(), content_type="application/json"
    )
    if is_packed:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ("Accept-Encoding",))
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response
