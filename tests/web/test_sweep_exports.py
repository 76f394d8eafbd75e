"""The specification of a sweep as YAML, JSON, program and job file: page, download and REST."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from experiments.spec import SweepSpec
from experiments.spec_export import EXPORT_FORMATS, export_spec
from tests.web.api_world import World, assert_problem, call, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


@pytest.fixture
def alice(client: Client, world: World) -> Client:
    client.force_login(world.alice)
    return client


def text_of(world: World, name: str) -> str:
    return export_spec(SweepSpec.from_stored(world.sweep.spec), name).text


def test_page_shows_every_format_exactly(world: World, alice: Client) -> None:
    address = reverse("sweep_configuration", args=[world.sweep.public_id])
    page = alice.get(address).content.decode()

    for name in EXPORT_FORMATS:
        shown = re.search(rf'<pre[^>]*id="{name}"[^>]*>(.*?)</pre>', page, re.DOTALL)
        assert shown is not None
        assert unescape(shown[1]) == text_of(world, name)
        assert f'data-copy-from="#{name}"' in page
        assert f'href="{reverse("sweep_export", args=[world.sweep.public_id, name])}"' in page


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_download_is_a_file_with_the_name_of_the_sweep(
    world: World, alice: Client, name: str
) -> None:
    answer = alice.get(reverse("sweep_export", args=[world.sweep.public_id, name]))

    assert answer.content.decode() == text_of(world, name)
    file_name = f"{world.sweep.name}{EXPORT_FORMATS[name].ending}"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{file_name}"'


def test_unknown_format_and_foreign_sweep_are_not_found(world: World, alice: Client) -> None:
    assert (
        alice.get(reverse("sweep_export", args=[world.sweep.public_id, "xml"])).status_code == 404
    )
    alice.force_login(world.charlie)
    assert (
        alice.get(reverse("sweep_export", args=[world.sweep.public_id, "yaml"])).status_code == 404
    )


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_api_gives_every_format(world: World, name: str) -> None:
    path = f"/sweeps/{world.sweep.public_id}/export?format={name}"

    response = call("GET", path, token=world.tokens["bob_read"])

    assert response.status_code == 200
    assert response.content.decode() == text_of(world, name)
    content_type = EXPORT_FORMATS[name].content_type
    assert response["Content-Type"] == f"{content_type}; charset=utf-8"


def test_api_gives_yaml_by_default_and_the_json_it_was_given(world: World) -> None:
    path = f"/sweeps/{world.sweep.public_id}/export"
    token = world.tokens["alice_read"]

    yaml = call("GET", path, token=token).content.decode()
    as_json = json.loads(call("GET", f"{path}?format=json", token=token).content)

    assert SweepSpec.parse(yaml).dump() == world.sweep.spec
    assert SweepSpec.parse(as_json).dump() == world.sweep.spec


def test_api_refuses_unknown_formats_and_strangers(world: World) -> None:
    path = f"/sweeps/{world.sweep.public_id}/export"

    assert_problem(call("GET", f"{path}?format=xml", token=world.tokens["alice_read"]), 422)
    assert_problem(call("GET", path, token=world.tokens["charlie_read"]), 404)
