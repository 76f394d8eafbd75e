"""Fixtures of the runner's tests."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from runner import executor
from tests.runner.processes import Service


@pytest.fixture
def quick(settings):
    """Shorten the times that people wait for; nothing is repeated."""
    settings.STUDIO_STOP_GRACE_SECONDS = 1
    settings.STUDIO_CANCEL_POLL_SECONDS = 0.1
    settings.STUDIO_MAX_RETRIES = 0
    executor._stop.clear()


@pytest.fixture
def launch(tmp_path) -> Iterator[Callable[..., Service]]:
    """Start processes of the studio; those that still run at the end are killed."""
    services: list[Service] = []

    def begin(redis_url: str, *words: str) -> Service:
        service = Service(tmp_path / f"service-{len(services)}.log", redis_url, *words)
        services.append(service)
        return service

    yield begin
    for service in services:
        service.stop(signal.SIGKILL)
