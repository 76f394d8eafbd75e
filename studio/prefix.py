"""Serve below a prefix, whether the proxy in front keeps it or strips it. Imports no Django."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]


def below_prefix(application: Application, prefix: str) -> Application:
    """Return `application` with every path made to start with `prefix` ("" changes nothing).

    An ASGI server's own option for this always adds the prefix, so that an address that carries
    it already would get it twice.
    """
    if not prefix:
        return application

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path == prefix:
            path = f"{prefix}/"
        elif not path.startswith(f"{prefix}/"):
            path = f"{prefix}{path}"
        await application({**scope, "path": path, "root_path": prefix}, receive, send)

    return serve
