"""What is noted of every request that was answered, whoever answered it: its count and its line."""

from __future__ import annotations

from django.conf import settings

from studio.http_metrics import count_request
from studio.logs import log_request


def observe(*, route: str, method: str, path: str, status: int, seconds: float) -> None:
    """Count a request by its route, and log it if it is to be."""
    count_request(route, method, status, seconds)
    log_request(
        method=method,
        path=path,
        route=route,
        status=status,
        seconds=seconds,
        all_of_them=settings.STUDIO_LOG_REQUESTS,
    )
