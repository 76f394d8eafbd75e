"""MLflow's addresses without the way through Django's middleware: what a script calls all day.

The same `dispatch` as in views.py, in threads that keep their database connection. Files go the
usual way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import parse_qs

from django.conf import settings
from django.db import connections, reset_queries

from experiments.api.mlflow.routes import dispatch
from experiments.api.mlflow.views import token_of
from experiments.api.mlflow.wire import Answer, Call, MlflowError, refusal

Application = Callable[[Any, Any, Any], Awaitable[None]]
_PREFIXES: Final = ("/api/2.0/mlflow/", "/api/3.0/mlflow/")
_THREADS: Final = 4
_UNAVAILABLE: Final = 503


def with_mlflow(application: Application) -> Application:
    """Return `application` with MLflow's calls answered in front of it."""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mlflow")
    prefixes = tuple(f"{settings.STUDIO_BASE_PATH}{prefix}" for prefix in _PREFIXES)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        prefix = next((p for p in prefixes if scope["path"].startswith(p)), "")
        if not prefix:
            await application(scope, receive, send)
            return
        given = await _answer(scope, receive, prefix, threads)
        if given is not None:
            await _send(send, given)

    return serve


async def _answer(
    scope: Any, receive: Any, prefix: str, threads: ThreadPoolExecutor
) -> Answer | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return refusal(MlflowError("REQUEST_LIMIT_EXCEEDED", "The body is too large."))
        if not message.get("more_body"):
            break
    header = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
    call = Call(
        scope["method"],
        scope["path"][len(prefix) :],
        parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        body,
        token_of(header.decode("latin-1")),
    )
    return await asyncio.get_running_loop().run_in_executor(threads, _dispatch, call)


def _dispatch(call: Call) -> Answer:
    reset_queries()
    given = dispatch(call)
    if given.status >= _UNAVAILABLE:
        # The server of the database may have gone and come back: look again with the next call.
        connections.close_all()
    return given


async def _send(send: Any, given: Answer) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(given.body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": given.body})
