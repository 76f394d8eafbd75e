"""The page of a request that failed: no query, no user, and styles only where they can be found."""

from __future__ import annotations

import sys
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static

_STYLES: Final = ("tokens", "base", "components", "floating")
_FULL: Final = ("disk is full", "No space left on device")
_RETRY_SECONDS: Final = 5


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, or 503 while the database is away or its disk is full."""
    error = sys.exc_info()[1]
    is_full = any(words in str(error) for words in _FULL)
    is_away = isinstance(error, OperationalError | InterfaceError)
    context = {**_assets(), "is_full": is_full, "is_away": is_away}
    page = render_to_string("500.html", context)
    if not is_full and not is_away:
        return HttpResponse(page, status=500)
    return HttpResponse(page, status=503, headers={"Retry-After": str(_RETRY_SECONDS)})


def _assets() -> dict[str, Any]:
    """Return the addresses of styles and theme; nothing when they were not collected."""
    try:
        return {
            "styles": [static(f"css/{name}.css") for name in _STYLES],
            "theme": static("js/lib/theme.js"),
            "icon": static("img/favicon.svg"),
        }
    except ValueError:
        return {}
