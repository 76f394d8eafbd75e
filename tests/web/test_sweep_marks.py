"""Tags and stars of sweeps: changed at once, filters of the list."""

from __future__ import annotations

import json

import pytest

from experiments.models import Event, RegisteredModel, Star, Sweep
from tests.factories import make_sweep, make_workspace
from tests.web.api_world import call, make_world
from tests.web.test_sweep_list import names

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


@pytest.fixture
def page(client, world):
    client.force_login(world.alice)
    return f"/sweeps/{world.sweep.public_id}/"


def tags(world):
    return Sweep.objects.get(pk=world.sweep.pk).tags


def test_tags_are_added_and_removed_on_the_page(client, world, page):
    client.post(f"{page}tags/", {"add": "team=blue"})
    client.post(f"{page}tags/", {"add": ' "two words" '})
    assert tags(world) == {"team": "blue", "two words": None}
    head = client.get(page).content.decode()
    assert 'href="/sweeps/?tag=team%3Dblue"' in head
    assert "Remove the tag two words" in head

    client.post(f"{page}tags/", {"remove": "team"})
    assert tags(world) == {"two words": None}
    last = Event.objects.filter(sweep=world.sweep).order_by("cursor").last()
    assert (last.message, last.payload["by"]) == ("Tags: without team by alice", "alice")


def test_a_tag_that_cannot_be_is_told_and_not_stored(client, world, page):
    answer = client.post(f"{page}tags/", {"add": "x" * 101}, headers={"accept": "application/json"})

    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "The name has 101 characters; use 1 to 100.",
    )
    assert tags(world) == {}


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("team", ["red", "blue"]),
        ("team=blue", ["blue"]),
        ("team=green", []),
        ("größe", ["red"]),
        ('a"b.c', ["blue"]),
        ("0", []),
        ("tea", []),
    ],
)
def test_list_is_filtered_by_a_tag(client, world, page, tag, found):
    make_sweep(owner=world.alice, name="blue", tags={"team": "blue", 'a"b.c': ""})
    make_sweep(owner=world.alice, name="red", tags={"team": "red", "größe": "ä"})

    listed = client.get("/sweeps/", {"tag": tag})

    assert names(listed) == found
    assert f"<option selected>{tag.replace(chr(34), '&quot;')}</option>" in listed.content.decode()


def test_a_star_is_of_one_person_and_filters_their_list(client, world, page):
    other = make_sweep(owner=world.alice, name="other")
    client.force_login(world.bob)
    address = f"/sweeps/{other.public_id}/star/"
    assert client.post(address, {"star": "on", "next": "/sweeps/"}).url == "/sweeps/"
    client.post(address, {"star": "on"})

    assert Star.objects.count() == 1
    assert names(client.get("/sweeps/?starred=1")) == ["other"]
    assert "Starred by you" in client.get("/dashboard/").content.decode()
    client.force_login(world.alice)
    assert names(client.get("/sweeps/?starred=1")) == []

    client.force_login(world.bob)
    client.post(address, {"star": "off"})
    assert names(client.get("/sweeps/?starred=1")) == []


def test_a_model_has_stars_too(client, world, page):
    workspace = make_workspace(world.alice)
    RegisteredModel.objects.create(
        workspace=workspace, name="digits", created_by=world.alice, updated_at="2026-01-01T00:00Z"
    )
    address = f"/models/{workspace.slug}/digits/star/"

    client.post(address, {"star": "on"})
    assert Star.objects.get().model.name == "digits"
    RegisteredModel.objects.create(
        workspace=workspace, name="other", created_by=world.alice, updated_at="2026-01-01T00:00Z"
    )
    assert names(client.get("/models/")) == ["other", "digits"]
    assert names(client.get("/models/?starred=1")) == ["digits"]
    assert names(client.get("/models/?starred=1&q=other")) == []
    client.force_login(world.charlie)
    assert client.post(address, {"star": "on"}).status_code == 404


def test_reader_stars_but_does_not_tag_and_stranger_does_neither(client, world, page):
    client.force_login(world.bob)
    assert client.post(f"{page}tags/", {"add": "x"}).status_code == 403
    assert "Remove the tag" not in client.get(page).content.decode()
    client.force_login(world.charlie)
    assert client.post(f"{page}tags/", {"add": "x"}).status_code == 404
    assert client.post(f"{page}star/").status_code == 404
    assert client.post(f"{page}star/", {"next": "https://a.example/"}).status_code == 404
    client.force_login(world.alice)
    away = client.post(f"{page}star/", {"star": "on", "next": "https://a.example/"})
    assert away.url == page
    assert tags(world) == {}


def test_rest_changes_tags_and_stars(world):
    address = f"/sweeps/{world.sweep.public_id}"
    alice, bob = world.tokens["alice_write"], world.tokens["bob_write"]
    make_sweep(owner=world.alice, name="other")

    call("PATCH", f"{address}/tags", token=alice, body={"tags": {"a": "1", "b": None}})
    changed = call("PATCH", f"{address}/tags", token=alice, body={"remove_tags": ["a", "zz"]})
    assert json.loads(changed.content) == {"tags": {"b": None}}
    call("PUT", f"{address}/star", token=alice)
    for query in ("tag=b", "starred=true"):
        (listed,) = json.loads(call("GET", f"/sweeps?{query}", token=alice).content)["items"]
        assert listed["id"] == world.sweep.public_id
    # A star is one's own, so a Reader may give it; a token that only reads may not.
    for method, status in (("PUT", True), ("DELETE", False)):
        answer = call(method, f"{address}/star", token=bob)
        assert json.loads(answer.content) == {"starred": status}
        for who, code in (("bob_read", 403), ("charlie_admin", 404)):
            assert call(method, f"{address}/star", token=world.tokens[who]).status_code == code
