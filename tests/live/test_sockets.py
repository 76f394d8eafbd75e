"""Sockets through the real channel layer: who may listen, first frame, merging, no gap."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.db import connections

from experiments import consumers, queries
from experiments.models import Sweep
from experiments.routing import websocket_urlpatterns
from experiments.services import broadcast
from experiments.services.events import append_event
from tests.factories import make_running_run, make_sweep, make_user, make_workspace, report

pytestmark = pytest.mark.django_db(transaction=True)
application = URLRouter(websocket_urlpatterns)


class Client:
    """A browser's socket."""

    def __init__(self, address: str, user: Any) -> None:
        path, _, query = address.partition("?")
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode(),
            "headers": [],
            "user": user,
        }
        self.socket = ApplicationCommunicator(application, scope)
        self.frames: list[dict[str, Any]] = []

    async def connect(self) -> None:
        await self.socket.send_input({"type": "websocket.connect"})
        assert (await self.socket.receive_output(timeout=5))["type"] == "websocket.accept"

    async def disconnect(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(timeout=5)

    async def frame(self) -> dict[str, Any]:
        """Return the next frame."""
        message = await self.socket.receive_output(timeout=5)
        assert message["type"] == "websocket.send"
        frame = json.loads(message["text"])
        self.frames.append(frame)
        return frame

    async def close_code(self) -> int:
        message = await self.socket.receive_output(timeout=5)
        assert message["type"] == "websocket.close"
        return message["code"]

    async def points(self, count: int) -> list[float]:
        """Read frames until this many points have come; a gap or a repeat fails."""
        points: list[float] = []
        while True:
            for frame in self.frames:
                for event in frame["events"]:
                    if event["type"] == "metrics":
                        assert event["first"] == len(points)
                        points += event["values"]
            self.frames = []
            if len(points) >= count:
                return points
            await self.frame()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario in an event loop of its own, and close what it opened."""

    async def whole() -> None:
        try:
            await scenario()
        finally:
            await database_sync_to_async(connections.close_all)()

    asyncio.run(whole())


in_thread = database_sync_to_async


@pytest.fixture
def alice():
    return make_user("alice")


def test_the_first_frame_comes_at_once_and_is_empty_when_nothing_is_new(alice):
    sweep = make_sweep(owner=alice)

    async def scenario() -> None:
        client = Client(f"/ws/sweeps/{sweep.public_id}/", alice)
        await client.connect()
        sweep_now = await in_thread(Sweep.objects.get)(pk=sweep.pk)
        assert await client.frame() == {"cursor": sweep_now.cursor, "events": []}
        await client.disconnect()

    run(scenario)


def test_a_cursor_in_the_address_brings_what_was_missed(alice):
    sweep = make_sweep(owner=alice)
    report(make_running_run(sweep), [0.5, 0.6])

    async def scenario() -> None:
        client = Client(f"/ws/sweeps/{sweep.public_id}/?after=0", alice)
        await client.connect()
        frame = await client.frame()
        expected = await in_thread(queries.events_after)(sweep, 0)
        assert (frame["cursor"], frame["events"]) == expected
        await client.disconnect()

    run(scenario)


def test_nobody_and_strangers_are_turned_away_with_their_codes(alice):
    sweep = make_sweep(owner=alice)
    charlie = make_user("charlie")
    make_workspace(charlie, name="Elsewhere")
    bob = make_user("bob")
    make_workspace(bob, role="Reader")

    async def scenario() -> None:
        for user, path, code in (
            (AnonymousUser(), f"/ws/sweeps/{sweep.public_id}/", consumers.ANONYMOUS),
            (AnonymousUser(), "/ws/sweeps/", consumers.ANONYMOUS),
            (charlie, f"/ws/sweeps/{sweep.public_id}/", consumers.NOT_FOUND),
            (alice, "/ws/sweeps/HD_unknown/", consumers.NOT_FOUND),
        ):
            client = Client(path, user)
            await client.connect()
            assert await client.close_code() == code
            await client.disconnect()
        client = Client(f"/ws/sweeps/{sweep.public_id}/", bob)
        await client.connect()
        assert (await client.frame())["events"] == []
        await client.disconnect()

    run(scenario)


def test_a_report_arrives_as_a_frame_long_before_the_slow_look(alice, monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_SECONDS", 60.0)
    sweep = make_sweep(owner=alice)
    running = make_running_run(sweep)

    async def scenario() -> None:
        client = Client(f"/ws/sweeps/{sweep.public_id}/", alice)
        await client.connect()
        await client.frame()
        await in_thread(report)(running, [0.5])
        frame = await client.frame()
        types = [event["type"] for event in frame["events"]]
        assert types == ["log", "run", "metrics", "best"]
        await client.disconnect()

    run(scenario)


def test_many_changes_are_merged_into_few_frames_without_a_gap(alice):
    sweep = make_sweep(owner=alice)
    running = make_running_run(sweep)

    async def scenario() -> None:
        client = Client(f"/ws/sweeps/{sweep.public_id}/", alice)
        await client.connect()
        await client.frame()
        started = time.monotonic()
        for n in range(60):
            await in_thread(report)(running, [float(n)])
        seconds = time.monotonic() - started
        frames = 0
        points: list[float] = []
        while len(points) < 60:
            frame = await client.frame()
            frames += 1
            for event in frame["events"]:
                if event["type"] == "metrics":
                    assert event["first"] == len(points)
                    points += event["values"]
        assert points == [float(n) for n in range(60)]
        assert frames <= seconds / consumers.FRAME_SECONDS + 3
        await client.disconnect()

    run(scenario)


def test_a_client_that_reconnects_with_its_cursor_misses_nothing(alice):
    sweep = make_sweep(owner=alice)
    running = make_running_run(sweep)

    async def scenario() -> None:
        points: list[float] = []
        cursor = 0
        for turn in range(5):
            client = Client(f"/ws/sweeps/{sweep.public_id}/?after={cursor}", alice)
            await client.connect()
            await in_thread(report)(running, [turn + 0.25, turn + 0.5])
            frame = await client.frame()
            for event in frame["events"]:
                if event["type"] == "metrics":
                    assert event["first"] == len(points)
                    points += event["values"]
            cursor = frame["cursor"]
            await client.disconnect()
            await in_thread(report)(running, [turn + 0.75])
        client = Client(f"/ws/sweeps/{sweep.public_id}/?after={cursor}", alice)
        await client.connect()
        while len(points) < 15:
            for event in (await client.frame())["events"]:
                if event["type"] == "metrics":
                    assert event["first"] == len(points)
                    points += event["values"]
        stored = await in_thread(queries.series_of)(running, "accuracy")
        assert points == stored.values.tolist()
        await client.disconnect()

    run(scenario)


def test_a_long_backlog_comes_in_pieces(alice, monkeypatch):
    monkeypatch.setattr(consumers, "_WINDOW", 10)
    sweep = make_sweep(owner=alice)
    running = make_running_run(sweep)
    for n in range(50):
        report(running, [float(n)])

    async def scenario() -> None:
        client = Client(f"/ws/sweeps/{sweep.public_id}/?after=0", alice)
        await client.connect()
        assert await client.points(50) == [float(n) for n in range(50)]
        await client.disconnect()

    run(scenario)


def test_lost_hints_are_healed_by_the_slow_look(alice, monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.1)
    sweep = make_sweep(owner=alice)

    async def scenario() -> None:
        client = Client(f"/ws/sweeps/{sweep.public_id}/", alice)
        await client.connect()
        await client.frame()
        monkeypatch.setattr(broadcast._state, "paused_until", time.monotonic() + 3600)
        await in_thread(append_event)(sweep.pk, "notice", "Nobody hears this.")
        frame = await client.frame()
        assert [event["message"] for event in frame["events"]] == ["Nobody hears this."]
        await client.disconnect()

    run(scenario)


def test_the_list_tells_which_sweeps_changed_and_no_others(alice):
    sweep = make_sweep(owner=alice)
    charlie = make_user("charlie")
    hidden = make_sweep(owner=charlie, workspace=make_workspace(charlie, name="Elsewhere"))

    async def scenario() -> None:
        client = Client("/ws/sweeps/", alice)
        await client.connect()
        await asyncio.sleep(0.2)
        await in_thread(append_event)(hidden.pk, "notice", "Not for Alice.")
        await in_thread(append_event)(sweep.pk, "notice", "For Alice.")
        assert await client.frame() == {"changed": [sweep.public_id]}
        await client.disconnect()

    run(scenario)


@pytest.mark.parametrize(
    "query", ["?after=abc", "?after=-5", "?after=" + "9" * 40, "?x=1", "?after="]
)
def test_a_cursor_that_cannot_be_read_means_from_now_on(alice, query):
    sweep = make_sweep(owner=alice)

    async def scenario() -> None:
        client = Client(f"/ws/sweeps/{sweep.public_id}/{query}", alice)
        await client.connect()
        assert (await client.frame())["events"] == []
        await client.disconnect()

    run(scenario)


@pytest.mark.parametrize("loss", ["deleted", "left the workspace"])
def test_a_socket_ends_when_there_is_nothing_more_to_see(alice, monkeypatch, loss):
    monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(consumers, "CHECK_SECONDS", 0.1)
    sweep = make_sweep(owner=alice)

    async def scenario() -> None:
        client = Client(f"/ws/sweeps/{sweep.public_id}/", alice)
        await client.connect()
        await client.frame()
        if loss == "deleted":
            await in_thread(Sweep.objects.filter(pk=sweep.pk).delete)()
        else:
            await in_thread(alice.memberships.all().delete)()
        assert await client.close_code() == consumers.NOT_FOUND
        await client.disconnect()

    run(scenario)
