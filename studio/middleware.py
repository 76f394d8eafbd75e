"""What is done around every request: its name, its count, its line in the log, and headers.

Also what TLS asks for, and the page of a storage that is away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from experiments import log_context
from experiments.client_address import coming_from
from experiments.services.slow_queries import note_place
from experiments.storage.base import StorageError
from studio.observing import observe

logger = logging.getLogger(__name__)

# Plotly writes style elements; scripts are never inline and nothing comes from another host.
POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)

# What no page of the studio asks a browser for, so that no script of anybody may.
PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "camera",
        "display-capture",
        "geolocation",
        "hid",
        "microphone",
        "midi",
        "payment",
        "serial",
        "usb",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    # No other site draws a picture or reads a script of the studio with a person's cookies.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
}
HSTS: Final = "Strict-Transport-Security"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

REQUEST_ID: Final = "X-Request-ID"


def observed(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Give every request an id (or keep the one it came with), count it and log it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        request_id = log_context.request_id_of(request.headers.get(REQUEST_ID, ""))
        with log_context.only(request_id=request_id):
            response = get_response(request)
            seconds = time.perf_counter() - begun
            _note_person(request)
            observe(
                route=_route(request),
                method=str(request.method),
                path=request.path,
                status=response.status_code,
                seconds=seconds,
            )
            request.log_fields = log_context.fields()  # type: ignore[attr-defined]  # for the log
        response.headers[REQUEST_ID] = request_id
        return response

    return middleware


def client_address(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let services know where a request comes from.

    The web server has put what a trusted proxy says in the place of the proxy's own address.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        with coming_from(request.META.get("REMOTE_ADDR") or ""):
            return get_response(request)

    return middleware


def _route(request: HttpRequest) -> str:
    """Return the name of the route; paths would be as many as there are runs."""
    if request.resolver_match is not None:
        return request.resolver_match.view_name or "unnamed"
    return "static" if request.path.startswith(settings.STATIC_URL) else "none"


class LogContext(MiddlewareMixin):
    """Notes for the log who asks and about what; stands behind what looks at the session."""

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, named: Mapping[str, Any]
    ) -> None:
        """Take what is known without a query: whoever signed in, ids in the address."""
        _note_person(request)
        note_place(_route(request))
        log_context.note(**{name: named[name] for name in ("sweep_id", "run_id") if name in named})


def _note_person(request: HttpRequest) -> None:
    person = getattr(request, "_cached_user", None)
    if person is not None and person.pk is not None:
        log_context.note(user_id=person.pk)


def safe_headers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Add HEADERS, each unless the view set one of its own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


def transport(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let cookies that were set over TLS come back over TLS alone; spare the machine's own name.

    The same studio answers its own machine without TLS, where a secure cookie would sign nobody in,
    and `localhost` has other servers, which a promise of TLS would shut off.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_local = split_domain_port(request.headers.get("Host", ""))[0] in _LOOPBACK
        if request.is_secure() or is_local:
            for cookie in response.cookies.values():
                cookie["secure"] = request.is_secure()
        if is_local and HSTS in response.headers:
            del response.headers[HSTS]
        return response

    return middleware


class StorageAway(MiddlewareMixin):
    """Say on a page that the storage of the files does not do what a view needs of it."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 503 with the reason; other exceptions go on."""
        if not isinstance(exception, StorageError):
            return None
        logger.error("%s %s: %s", request.method, request.path, exception)
        return render(request, "503.html", {"reason": str(exception)}, status=503)
