"""Response headers of every page, cookies that stay with TLS, the page of a storage away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from experiments.storage.base import StorageError

logger = logging.getLogger(__name__)

# Plotly writes style elements; scripts are never inline and nothing comes from another host.
POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Add the policy unless the view set one of its own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


def secure_cookies(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let cookies that were set over TLS come back over TLS alone.

    No setting: the same studio answers its own machine without TLS.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
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
