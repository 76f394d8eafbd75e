"""The first page of the administration: every part says what it should, and fails alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_user
from tests.web.api_world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


@pytest.fixture
def site(world: World) -> Client:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    return client


def test_every_part_is_shown(site: Client) -> None:
    text = site.get("/admin/").content.decode()

    assert "cannot be shown now" not in text
