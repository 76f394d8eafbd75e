"""What the web processes count of their requests and sockets, for /metrics.

Labels are names of routes, never paths: their number is that of the routes. Several processes count
in files that all of them map, so whichever is asked tells the sums; what one counted stays when it
dies, and the next one goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    values,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from studio.web_processes import WEB_PROCESSES

Application = Callable[[Any, Any, Any], Awaitable[None]]

# A second series for each one, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library is half typed
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Where the library finds the files; asked each time that it makes a value.
_FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


class _Counts:
    """What one process counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "studio_http_requests",
            "Requests that the web processes answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "studio_http_request_seconds",
            "From the first byte of a request to the first of its answer.",
            ["route", "method"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.sockets = Gauge(
            "studio_websockets",
            "Open websockets of the web processes.",
            multiprocess_mode="sum",
            registry=self.registry,
        )


class HttpCounts(Collector):
    """The counts of this process, or the sums of all since it shares them."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self.own = _Counts()

    def share(self, folder: Path, number: int) -> None:
        """Count together with others from now on; each has another number, the next of a dead one
        its number again.

        Changes the library for the whole process: only for one that serves and does nothing else.
        """
        os.environ[_FOLDER_VARIABLE] = str(folder)
        # The sockets of the one before are closed.
        (folder / f"gauge_sum_{number}.db").unlink(missing_ok=True)
        values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
        self._folder = folder
        self.own = _Counts()

    def collect(self) -> Iterator[Metric]:
        """Return the sums."""
        if self._folder is None:
            yield from self.own.registry.collect()
        else:
            yield from MultiProcessCollector(None, str(self._folder)).collect()  # type: ignore[no-untyped-call]

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand: other processes may have counted more."""
        return iter(())


class EachProcess(Collector):
    """Memory, processor time and the like of each web process, by its number."""

    def collect(self) -> Iterator[Metric]:
        """Look at all of them; of one that cannot be looked at there is less, or nothing."""
        families: dict[str, Metric] = {}
        for number, pid in WEB_PROCESSES.pids().items():
            for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                family = families.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type)
                )
                for sample in metric.samples:
                    family.add_sample(sample.name, {"process": str(number)}, sample.value)
        yield from families.values()

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand: it would look at all of them."""
        return iter(())


COUNTS: Final = HttpCounts()
REGISTRY: Final = CollectorRegistry()
REGISTRY.register(COUNTS)
REGISTRY.register(EachProcess())


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    method = method if method in _METHODS else "other"
    COUNTS.own.requests.labels(route, method, str(status)).inc()
    COUNTS.own.seconds.labels(route, method).observe(seconds)


def with_sockets_counted(application: Application) -> Application:
    """Return `application` (of websockets) with its open connections counted."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        with COUNTS.own.sockets.track_inprogress():
            await application(scope, receive, send)

    return serve
