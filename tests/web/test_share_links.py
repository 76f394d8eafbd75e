"""Links to share: what they open, what they never open, when they end, who makes them."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import get_resolver

from experiments import clock
from experiments.models import Event, Membership, ShareLink, Sweep
from experiments.routing import websocket_urlpatterns
from experiments.services.share_links import create_share_link, revoke_share_link
from tests.factories import make_sweep
from tests.web.api_world import call, make_world
from tests.web.sweep_world import TRACEBACK, make_sweep_world

pytestmark = pytest.mark.django_db
# Every address below a link: what follows its token -> what a link opens there by default, and what
# with everything allowed.
GUEST = {
    "shared": ("", 200, 200),
    "shared_runs": ("runs/", 200, 200),
    "shared_log": ("runs/0/log/", 404, 200),
    "shared_charts": ("charts/", 200, 200),
    "shared_chart": ("charts/metrics.json", 200, 200),
    "shared_curves": ("curves/?metric=accuracy", 200, 200),
    "shared_best": ("best/", 200, 200),
    "shared_file": ("files/model.txt", 404, 200),
    "shared_events": ("events/", 200, 200),
}
# What stands in rows and files of the world and is nobody's business outside.
PRIVATE = ("OMP_NUM_THREADS", "worker-1", "train.py", "alert(1)", "python", "std_log")


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


def link_to(sweep, user, **allowed):
    return create_share_link(sweep, user=user, days=7, **allowed)


def text_of(response):
    body = b"".join(response) if response.streaming else response.content
    return body.decode()


def open_all(link, guest=None):
    """Return the answer at every address of a link."""
    guest = guest or Client()
    return {name: guest.get(f"/shared/{link.token}/{path}") for name, (path, *_) in GUEST.items()}


def test_every_address_of_links_has_a_row():
    named = {str(key) for key in get_resolver().reverse_dict if isinstance(key, str)}

    assert {name for name in named if name.startswith("shared")} == set(GUEST)
    # A guest has no socket: one more of them has to be thought about here.
    assert len(websocket_urlpatterns) == 2


@pytest.mark.parametrize("is_everything", [False, True])
def test_a_link_shows_its_sweep_and_nothing_that_was_not_allowed(world, is_everything):
    link = link_to(world.sweep, world.alice, with_files=is_everything, with_reasons=is_everything)

    answers = open_all(link)

    texts = {name: text_of(answer) for name, answer in answers.items()}
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {name: row[1 + is_everything] for name, row in GUEST.items()}
    assert len(json.loads(texts["shared_curves"])["numbers"]) == 3
    assert "&lt;i&gt;digits&lt;/i&gt;" in texts["shared"]
    assert json.loads(texts["shared_events"])["cursor"] > 0
    pages = "".join(
        text for name, text in texts.items() if name not in ("shared_log", "shared_file")
    )
    assert [word for word in PRIVATE if word in pages] == []
    assert (TRACEBACK.split("<")[0] in pages) == is_everything
    if is_everything:
        assert texts["shared_file"] == "weights"
    for name, answer in answers.items():
        assert answer["Referrer-Policy"] == "no-referrer", name
        assert "noindex" in answer["X-Robots-Tag"]


def test_a_link_opens_neither_another_sweep_nor_anything_else(world):
    other = make_sweep(owner=world.alice, name="other")
    link = link_to(world.sweep, world.alice, with_files=True, with_reasons=True)
    guest = Client()
    open_all(link, guest)

    for address in (f"/sweeps/{world.sweep.public_id}/", f"/sweeps/{other.public_id}/", "/sweeps/"):
        assert guest.get(address).url.startswith("/sign-in/")
    for path in ("", "/runs", "/events", "/notes", "/share-links"):
        assert (
            call("GET", f"/sweeps/{world.sweep.public_id}{path}", client=guest).status_code == 401
        )
        token = link.token
        assert call("GET", f"/sweeps/{world.sweep.public_id}{path}", token=token).status_code == 401
    for path in (
        "files/../logs/std_log.txt",
        "files/..%2flogs%2fstd_log.txt",
        "charts/timeline.json",
    ):
        assert guest.get(f"/shared/{link.token}/{path}").status_code == 404
    # The run of the log is one of the sweep, by number.
    assert guest.get(f"/shared/{link.token}/runs/99/log/").status_code == 404


def test_a_link_changes_nothing(world):
    link = link_to(world.sweep, world.alice, with_files=True, with_reasons=True)
    guest = Client()

    for path, *_ in GUEST.values():
        for method in (guest.post, guest.put, guest.patch, guest.delete):
            assert method(f"/shared/{link.token}/{path}").status_code == 405
    steer = guest.post(f"/sweeps/{world.sweep.public_id}/cancel/")
    assert steer.url.startswith("/sign-in/")
    assert Sweep.objects.get(pk=world.sweep.pk).state == "Running"


def test_sockets_take_a_guest_for_nobody(world):
    async def close_code(path):
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": []}
        application = URLRouter(websocket_urlpatterns)
        socket = ApplicationCommunicator(application, {**scope, "user": AnonymousUser()})
        await socket.send_input({"type": "websocket.connect"})
        await socket.receive_output(timeout=5)
        code = (await socket.receive_output(timeout=5))["code"]
        await socket.send_input({"type": "websocket.disconnect", "code": code})
        await socket.wait(timeout=5)
        return code

    for path in ("/ws/sweeps/", f"/ws/sweeps/{world.sweep.public_id}/"):
        assert asyncio.run(close_code(path)) == 4401


def test_dead_links_all_look_the_same(world):
    link = link_to(world.sweep, world.alice)
    expired = link_to(world.sweep, world.alice)
    ShareLink.objects.filter(pk=expired.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    revoked = link_to(world.sweep, world.alice)
    assert revoke_share_link(revoked, user=world.alice)
    assert not revoke_share_link(revoked, user=world.alice)
    other_end = "B" if link.token.endswith("A") else "A"
    tokens = [expired.token, revoked.token, link.key, link.token[:-1] + other_end, "x", "a.b", "ä"]

    pages = set()
    for token in tokens:
        for path, *_ in GUEST.values():
            answer = Client().get(f"/shared/{token}/{path}")
            assert answer.status_code == 404
            pages.add("This link shows nothing" in answer.content.decode())
    assert pages == {True}
    assert Client().get(link.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("change", ["trashed", "left", "disabled", "deleted"])
def test_a_link_shows_no_more_than_its_maker_may_see(world, change):
    link = link_to(world.sweep, world.alice)
    if change == "trashed":
        now = clock.now()
        Sweep.objects.filter(pk=world.sweep.pk).update(
            state="Canceled", end_reason="user", reason="x", ended_at=now, trashed_at=now
        )
    elif change == "left":
        Membership.objects.filter(user=world.alice).delete()
    elif change == "disabled":
        type(world.alice).objects.filter(pk=world.alice.pk).update(is_active=False)
    else:
        world.alice.delete()

    assert Client().get(f"/shared/{link.token}/").status_code == 404


def test_links_are_made_listed_and_revoked_on_a_page(client, world):
    client.force_login(world.alice)
    page = f"/sweeps/{world.sweep.public_id}/share/"

    made = client.post(page, {"days": "30", "name": "Board <b>", "with_files": "on"})
    link = ShareLink.objects.get()
    assert made.url == f"{page}?made={link.pk}"
    assert (link.with_files, link.with_reasons) == (True, False)
    assert timedelta(days=29) < link.expires_at - clock.now() <= timedelta(days=30)
    Client().get(link.get_absolute_url())
    listed = client.get(page).content.decode()
    assert f"http://testserver/shared/{link.token}/" in listed
    assert "Board &lt;b&gt;" in listed
    assert "opened " in listed
    client.post(f"{page}{link.pk}/revoke/")
    assert link.token not in client.get(page).content.decode()
    said = Event.objects.filter(sweep=world.sweep, message__startswith="Share link").order_by("pk")
    assert [(event.message, event.payload["by"]) for event in said] == [
        (
            "Share link: made for “Board <b>” by alice, for 30 days, with outputs of the best run",
            "alice",
        ),
        ("Share link: revoked for “Board <b>” by alice", "alice"),
    ]
    wrong = client.post(page, {"days": "9999", "name": "x" * 121})
    assert wrong.status_code == 422
    assert "A link lives 1 to 365 days, not 9999." in wrong.content.decode()


def test_only_those_who_may_change_the_sweep_share_it(client, world):
    link = link_to(world.sweep, world.alice)
    page = f"/sweeps/{world.sweep.public_id}/share/"
    for user, status in ((world.bob, 403), (world.charlie, 404)):
        client.force_login(user)
        assert client.get(page).status_code == status
        assert client.post(page, {"days": "1"}).status_code == status
        assert client.post(f"{page}{link.pk}/revoke/").status_code == status
    # A link is found below its own sweep only.
    other = make_sweep(owner=world.alice, name="other")
    client.force_login(world.alice)
    assert client.post(f"/sweeps/{other.public_id}/share/{link.pk}/revoke/").status_code == 404
    assert ShareLink.objects.filter(revoked_at__isnull=True).count() == 1


def test_rest_makes_and_revokes_links(tmp_path):
    world = make_world(tmp_path)
    address = f"/sweeps/{world.sweep.public_id}/share-links"
    token = world.tokens["alice_write"]

    made = json.loads(call("POST", address, token=token, body={"days": 1}).content)
    assert made["state"] == "live"
    assert Client().get(made["url"].removeprefix("http://testserver")).status_code == 200
    one = f"{address}/{made['id']}"
    statuses = {"alice_read": 403, "bob_write": 403, "charlie_admin": 404, "alice_write": 204}
    for who, status in statuses.items():
        assert call("DELETE", one, token=world.tokens[who]).status_code == status, who
    (listed,) = json.loads(call("GET", address, token=token).content)["items"]
    assert (listed["state"], listed["url"], listed["revoked_by"]) == ("revoked", None, "alice")
