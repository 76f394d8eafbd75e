"""How large the body of a request may be, decided before any of it is kept.

Django writes a body to the disk as it comes, before a view, a permission or a limit of its own is
asked. So this stands in front of it: each address has a limit, and only whoever is known sends more
than a form.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Final, Protocol

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http.cookie import parse_cookie

from experiments.api.imports import MAX_BYTES as MAX_IMPORT
from experiments.api.mlflow.views import token_of
from experiments.services.access import find_api_token, run_for_token
from experiments.services.attached_files import MAX_BLOCK
from experiments.services.compute_tokens import find_compute_token
from experiments.snapshot_rules import MAX_BYTES as MAX_SNAPSHOT

Application = Callable[[Any, Any, Any], Awaitable[None]]

# What stands around a file in a form, and the other fields of the form.
_AROUND: Final = 1024 * 1024
_STATUS: Final = 413
_TOO_LARGE: Final = "The body is larger than the {limit} bytes that this address takes."
_UNKNOWN: Final = "Sign in or send a valid token; without one a body has at most {limit} bytes."


class Observe(Protocol):
    """Whoever counts and logs the requests that were answered."""

    def __call__(
        self, *, route: str, method: str, path: str, status: int, seconds: float
    ) -> None: ...


def with_body_limits(application: Application, observe: Observe) -> Application:
    """Return `application` with bodies that are too large refused in front of it."""
    small = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + _AROUND
    large = {
        f"{settings.STUDIO_BASE_PATH}{prefix}": limit
        for prefix, limit in (
            ("/api/v1/snapshots", MAX_SNAPSHOT + _AROUND),
            ("/api/v1/imports", MAX_IMPORT + _AROUND),
            ("/api/v1/attached/", MAX_BLOCK + _AROUND),
            ("/api/2.0/mlflow-artifacts/artifacts/", settings.STUDIO_MAX_OUTPUT_BYTES),
            ("/sweeps/new/", MAX_SNAPSHOT + small),
        )
    }

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        begun = time.perf_counter()
        limit = next((n for prefix, n in large.items() if scope["path"].startswith(prefix)), small)
        body = _Body(scope, receive, send, small=small, limit=limit)
        if await body.may_come(body.declared):
            await application(scope, body.receive, body.send)
        if await body.refuse():
            observe(
                route="none",
                method=scope["method"],
                path=scope["path"],
                status=_STATUS,
                seconds=time.perf_counter() - begun,
            )

    return serve


class _Body:
    """The body of one request on its way, counted."""

    def __init__(self, scope: Any, receive: Any, send: Any, *, small: int, limit: int) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._small, self._limit = small, limit
        self._headers = {name.lower(): value for name, value in scope["headers"]}
        self._come = 0
        self._is_known = False
        self._refusal = ""
        self._is_answered = False

    @property
    def declared(self) -> int:
        """How long it says it is; 0 when it comes in chunks."""
        text = self._headers.get(b"content-length", b"0").decode("latin-1")
        return int(text) if text.isdecimal() and len(text) < 19 else 0

    async def may_come(self, size: int) -> bool:
        """Tell whether a body of so many bytes is taken from whoever sends it."""
        if size <= self._small:
            return True
        if size > self._limit:
            self._refusal = _TOO_LARGE.format(limit=self._limit)
            return False
        if not self._is_known:
            find = database_sync_to_async(_is_somebody, thread_sensitive=False)
            self._is_known = await find(self._headers)
        if not self._is_known:
            self._refusal = _UNKNOWN.format(limit=self._small)
        return self._is_known

    async def receive(self) -> Any:
        """Give the next message; once too much has come, as if the client had hung up."""
        message = await self._receive()
        self._come += len(message.get("body", b""))
        if not await self.may_come(self._come):
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Any) -> None:
        """Pass an answer on."""
        self._is_answered = True
        await self._send(message)

    async def refuse(self) -> bool:
        """Answer 413 if the body was refused; the connection ends, whatever is still to come."""
        if not self._refusal or self._is_answered:
            return False
        problem = {"path": "", "message": self._refusal}
        body = json.dumps({"status": _STATUS, "detail": self._refusal, "errors": [problem]})
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        await self._send({"type": "http.response.start", "status": _STATUS, "headers": headers})
        await self._send({"type": "http.response.body", "body": body.encode()})
        return True


def _is_somebody(headers: dict[bytes, bytes]) -> bool:
    """Tell whether a request comes with credentials that are valid; what they open is asked later.

    Costs a query or two, and only where a large body is announced.
    """
    token = token_of(headers.get(b"authorization", b"").decode("latin-1"))
    if token:
        finders = (find_api_token, run_for_token, find_compute_token)
        return any(find(token) is not None for find in finders)
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    return bool(key) and SESSION_KEY in import_module(settings.SESSION_ENGINE).SessionStore(key)
