"""The world that is asked, made once for each test; nobody counts requests here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.notify.mail_server import MailServer
from experiments.queries import site_settings
from tests.authorisation.sender import Sender
from tests.authorisation.world import make_world


@pytest.fixture
def studio(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Settings under which everything that is right succeeds; thousands of refusals log nothing."""
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    settings.STUDIO_RATE_LIMIT = settings.STUDIO_RATE_LIMIT_STRANGERS = 0
    site_settings.remember(site_settings.Site(sign_up="open"), seconds=3600.0)
    settings.STUDIO_MAIL_SERVER = MailServer("127.0.0.1", 1, "studio@example.org")
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def sender(studio: None, db: None, settings: Any) -> Sender:
    """Who asks; what is asked changes nothing."""
    return Sender(make_world(settings.STUDIO_STORAGE_ROOT))
