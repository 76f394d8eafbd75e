"""Websockets open for the studio's own pages alone: those of the address that the socket has.

A browser sends cookies with a socket that any page opens, and no token of a form protects it. The
list of allowed hosts is not enough: every program of a person's machine serves from `localhost`.
Imports no Django.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

Application = Callable[[Any, Any, Any], Awaitable[None]]
_PORTS: Final = {"http": 80, "https": 443}


def from_own_pages(
    application: Application, denied: Application, *, public_url: str
) -> Application:
    """Return `application` (of websockets) for pages of the same origin, `denied` for all others.

    `public_url`: where a proxy that changes the Host header is known to serve the studio.
    """
    public = _origin(public_url)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        is_secure = scope.get("scheme") == "wss"
        is_own = is_own_origin(
            headers.get(b"origin", ""), headers.get(b"host", ""), is_secure=is_secure, public=public
        )
        await (application if is_own else denied)(scope, receive, send)

    return serve


def is_own_origin(
    origin: str, host: str, *, is_secure: bool, public: tuple[str, str, int] | None = None
) -> bool:
    """Tell whether a page of this origin belongs to the studio that was asked for as `host`.

    Without a proxy that says how it was asked, the scheme of a socket is not known to be insecure.
    """
    asking = _origin(origin)
    if asking is None:
        return False
    if public is not None and asking == public:
        return True
    return asking == _origin(f"{asking[0]}://{host}") and (asking[0] == "https" or not is_secure)


def _origin(address: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an address; None when it has no origin."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS[parts.scheme]
    except (KeyError, ValueError):
        return None
    return (parts.scheme, parts.hostname.rstrip("."), port) if parts.hostname else None
