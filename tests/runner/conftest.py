"""Fixtures of the runner's tests."""

from __future__ import annotations

import pytest

from runner import executor


@pytest.fixture
def quick(settings):
    """Shorten the times that people wait for; nothing is repeated."""
    settings.STUDIO_STOP_GRACE_SECONDS = 1
    settings.STUDIO_CANCEL_POLL_SECONDS = 0.1
    settings.STUDIO_MAX_RETRIES = 0
    executor._stop.clear()
