"""MLflow's addresses without the way through Django's middleware: what a script calls all day.

The same `dispatch` as in views.py, in threads that keep their database connection; the one that was
used last comes first, since what it needs is at hand still. Files go the usual way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

from django.conf import settings
from django.db import connections, reset_queries

from experiments import log_context
from experiments.api.mlflow.routes import dispatch, route_of
from experiments.api.mlflow.views import token_of
from experiments.api.mlflow.wire import Answer, Call, MlflowError, refusal
from experiments.services.slow_queries import note_place

Application = Callable[[Any, Any, Any], Awaitable[None]]
_PREFIXES: Final = ("/api/2.0/mlflow/", "/api/3.0/mlflow/")
_THREADS: Final = 4
_UNAVAILABLE: Final = 503
_REQUEST_ID: Final = b"x-request-id"


class Observe(Protocol):
    """Whoever counts and logs the calls that were answered."""

    def __call__(
        self, *, route: str, method: str, path: str, status: int, seconds: float
    ) -> None: ...


def with_mlflow(application: Application, observe: Observe) -> Application:
    """Return `application` with MLflow's calls answered in front of it."""
    threads: asyncio.LifoQueue[ThreadPoolExecutor] = asyncio.LifoQueue()
    for _ in range(_THREADS):
        threads.put_nowait(ThreadPoolExecutor(1, thread_name_prefix="mlflow"))
    prefixes = tuple(f"{settings.STUDIO_BASE_PATH}{prefix}" for prefix in _PREFIXES)
    answer = partial(_answer_observed, observe)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        prefix = next((p for p in prefixes if scope["path"].startswith(p)), "")
        if not prefix:
            await application(scope, receive, send)
            return
        request_id = log_context.request_id_of(_header(scope, _REQUEST_ID))
        try:
            body = await _body(receive)
        except _GoneError:
            return
        if body is None:
            given = refusal(MlflowError("REQUEST_LIMIT_EXCEEDED", "The body is too large."))
        else:
            call = _call(scope, prefix, body)
            work = partial(answer, call, scope["path"], request_id)
            thread = await threads.get()
            try:
                given = await asyncio.get_running_loop().run_in_executor(thread, work)
            finally:
                threads.put_nowait(thread)
        await _send(send, given, request_id)

    return serve


class _GoneError(Exception):
    """The client hung up before its request was whole."""


async def _body(receive: Any) -> bytes | None:
    """Return the whole body; None when it is too large."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body += message.get("body", b"")
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return None
        if not message.get("more_body"):
            return body


def _call(scope: Any, prefix: str, body: bytes) -> Call:
    return Call(
        scope["method"],
        scope["path"][len(prefix) :],
        parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        body,
        token_of(_header(scope, b"authorization")),
    )


def _header(scope: Any, name: bytes) -> str:
    return str(next((v for k, v in scope["headers"] if k == name), b"").decode("latin-1"))


def _answer_observed(observe: Observe, call: Call, path: str, request_id: str) -> Answer:
    begun = time.perf_counter()
    with log_context.only(request_id=request_id):
        note_place(route_of(call))
        given = _dispatch(call)
        observe(
            route=route_of(call),
            method=call.method,
            path=path,
            status=given.status,
            seconds=time.perf_counter() - begun,
        )
    return given


def _dispatch(call: Call) -> Answer:
    reset_queries()
    given = dispatch(call)
    if given.status >= _UNAVAILABLE:
        # The server of the database may have gone and come back: look again with the next call.
        connections.close_all()
    return given


async def _send(send: Any, given: Answer, request_id: str) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(given.body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (_REQUEST_ID, request_id.encode()),
    ]
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": given.body})
