"""Notes on a sweep or a run: written, shown, kept version by version, never overwritten unseen."""

from __future__ import annotations

import html
import json
import re

import pytest

from experiments.models import Event, NoteVersion
from tests.web.api_world import call, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


@pytest.fixture
def page(client, world):
    """Give the address of the notes; Alice is signed in."""
    client.force_login(world.alice)
    return f"/sweeps/{world.sweep.public_id}/notes/"


def save(client, page, text, version):
    return client.post(page, {"text": text, "version": str(version)})


def field_of(response):
    return html.unescape(
        re.search(r"<textarea[^>]*>(.*?)</textarea>", response.content.decode(), re.S)[1]
    )


def test_notes_are_written_shown_and_said_in_the_log(client, world, page):
    assert save(client, page, "# Plan\r\n\r\n<b>wide</b> first", 0).status_code == 302

    shown = client.get(f"/sweeps/{world.sweep.public_id}/").content.decode()
    assert "<h3>Plan</h3>" in shown
    assert "&lt;b&gt;wide&lt;/b&gt; first" in shown
    note = NoteVersion.objects.get()
    assert (note.number, note.author_name, note.text) == (1, "alice", "# Plan\n\n<b>wide</b> first")
    event = Event.objects.filter(sweep=world.sweep).order_by("cursor").last()
    assert (event.message, event.payload) == ("Notes: version 1 by alice", {"by": "alice"})


def test_an_edit_of_an_old_version_gets_both_texts_merged(client, world, page):
    save(client, page, "goal\nfirst\nlast", 0)
    save(client, page, "goal\nfirst\nlast, theirs", 1)

    answer = save(client, page, "goal, mine\nfirst\nlast", 1)

    assert answer.status_code == 409
    assert field_of(answer) == "goal, mine\nfirst\nlast, theirs"
    assert 'name="version" value="2"' in answer.content.decode()
    assert NoteVersion.objects.count() == 2
    # What is offered can be saved as it is.
    assert save(client, page, field_of(answer), 2).status_code == 302


def test_edits_of_the_same_line_are_left_to_a_person(client, world, page):
    save(client, page, "first", 0)

    answer = save(client, page, "mine", 0)

    assert answer.status_code == 409
    assert "first" in field_of(answer)
    assert "mine" in field_of(answer)
    assert "<<<<<<< yours" in field_of(answer)


def test_versions_stay_and_say_what_changed(client, world, page):
    save(client, page, "one\ntwo", 0)
    save(client, page, "one\n2", 1)
    # The same text is no version of its own, whatever it began from.
    save(client, page, "one\n2", 1)

    second = client.get(f"{page}2/").content.decode()
    assert '<span class="gone"><span class="vh">removed: </span>two' in second
    assert '<span class="added"><span class="vh">added: </span>2' in second
    assert "Version 2</a>" in client.get(page).content.decode()
    assert client.get(f"{page}3/").status_code == 404


def test_too_long_notes_come_back_as_they_were_typed(client, world, page):
    text = "x" * 30_001

    answer = save(client, page, text, 0)

    assert answer.status_code == 422
    assert "The notes have 30001 characters; at most 30000" in answer.content.decode()
    assert field_of(answer) == text


def test_notes_on_a_run_stand_on_its_page_and_apart_from_those_on_the_sweep(client, world, page):
    save(client, page, "on the sweep", 0)
    run = f"/runs/{world.run.public_id}/"

    assert save(client, f"{run}notes/", "**seed** was lucky", 0)["Location"] == f"{run}#notes"

    assert "<strong>seed</strong> was lucky" in client.get(run).content.decode()
    assert "was lucky" not in client.get(f"/sweeps/{world.sweep.public_id}/").content.decode()
    assert save(client, f"{run}notes/", "unseen", 0).status_code == 409
    assert (
        f'<a href="{run}">Run {world.run.number}</a>'
        in client.get(f"{run}notes/1/").content.decode()
    )
    event = Event.objects.filter(sweep=world.sweep).order_by("cursor").last()
    assert event.message == f"Notes on run {world.run.number}: version 1 by alice"
    assert event.run == world.run
    found = call("GET", f"{run[:-1]}/notes", token=world.tokens["alice_read"])
    assert json.loads(found.content)["version"] == 1
    client.force_login(world.bob)
    assert save(client, f"{run}notes/", "x", 1).status_code == 403
    client.force_login(world.charlie)
    assert client.get(f"{run}notes/").status_code == 404
    assert client.get(f"{run}notes/1/").status_code == 404


def test_reader_reads_and_stranger_finds_nothing(client, world, page):
    save(client, page, "secret plan", 0)
    client.force_login(world.bob)
    assert "secret plan" in client.get(page).content.decode()
    assert "<textarea" not in client.get(page).content.decode()
    assert save(client, page, "x", 1).status_code == 403
    assert client.post(f"{page}preview/", {"text": "x"}).status_code == 403

    client.force_login(world.charlie)
    for address in (page, f"{page}1/"):
        assert client.get(address).status_code == 404
    assert save(client, page, "x", 1).status_code == 404
    assert NoteVersion.objects.count() == 1


def test_rest_writes_with_a_version_or_an_etag(world):
    address = f"/sweeps/{world.sweep.public_id}/notes"
    token = world.tokens["alice_write"]

    empty = call("GET", address, token=token)
    assert (json.loads(empty.content)["version"], empty["ETag"]) == (0, '"0"')
    first = call("PUT", address, token=token, body={"text": "**a**", "version": 0})
    assert (first.status_code, first["ETag"]) == (200, '"1"')
    assert json.loads(first.content)["html"] == "<p><strong>a</strong></p>\n"
    second = call("PUT", address, token=token, body={"text": "b"}, **{"If-Match": '"1"'})
    assert json.loads(second.content)["version"] == 2

    stale = call("PUT", address, token=token, body={"text": "c", "version": 1})
    document = json.loads(stale.content)
    assert (stale.status_code, document["current"]["text"], document["yours"]) == (409, "b", "c")
    blind = call("PUT", address, token=token, body={"text": "c"})
    assert (blind.status_code, json.loads(blind.content)["errors"][0]["path"]) == (422, "version")
    listed = json.loads(call("GET", f"{address}/versions?limit=1", token=token).content)
    assert [one["version"] for one in listed["items"]] == [2]
    assert listed["next_cursor"]
