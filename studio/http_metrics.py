"""What this web process counts of its own requests and sockets, for /metrics.

Labels are names of routes, never paths: their number is that of the routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

Application = Callable[[Any, Any, Any], Awaitable[None]]

# A second series for each one, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library is half typed
REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_requests: Final = Counter(
    "studio_http_requests",
    "Requests that this web process answered.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
_seconds: Final = Histogram(
    "studio_http_request_seconds",
    "From the first byte of a request to the first of its answer.",
    ["route", "method"],
    buckets=_BUCKETS,
    registry=REGISTRY,
)
_sockets: Final = Gauge(
    "studio_websockets", "Open websockets of this web process.", registry=REGISTRY
)


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    method = method if method in _METHODS else "other"
    _requests.labels(route, method, str(status)).inc()
    _seconds.labels(route, method).observe(seconds)


def with_sockets_counted(application: Application) -> Application:
    """Return `application` (of websockets) with its open connections counted."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        with _sockets.track_inprogress():
            await application(scope, receive, send)

    return serve
