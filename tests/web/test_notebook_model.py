"""The widget of a sweep on the kernel's side: it follows while somebody looks, and ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.services.access import make_api_token
from experiments.services.runs import RunOutcome
from experiments.services.sweeps import cancel_sweep
from studio.sdk.client import Connection, StudioClient
from studio.sdk.notebook_widget import SweepWidget
from tests.factories import report
from tests.web.sweep_world import SweepWorld, end, make_sweep_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(tmp_path: Path) -> SweepWorld:
    return make_sweep_world(tmp_path)


@pytest.fixture
def shown(live_server: Any, world: SweepWorld) -> Iterator[SweepWidget]:
    token = make_api_token(world.alice, name="notebook", scope="read")[1]
    client = StudioClient(Connection(live_server.url, token))
    made = SweepWidget(client, world.sweep.public_id)
    made.start()
    yield made
    made.widget.close()
    made._following.join(60)
    assert not made._following.is_running


def wait(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def send(shown: SweepWidget, kind: str, view: str = "a") -> None:
    shown.widget._handle_custom_msg({"kind": kind, "view": view}, [])


def test_model_has_all_at_once_and_follows(shown: SweepWidget, world: SweepWorld) -> None:
    model = shown.widget
    bundle, _ = shown.bundle()

    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == model.model_id
    assert model.sweep["best_run"]["number"] == world.winner.number
    assert len(model.runs["rows"]) == 5
    report(world.running, [0.97])
    shown._following.wake()
    wait(lambda: model.sweep["best_run"]["value"] == 0.97)
    model.wanted = {"run": world.failed.number}
    wait(lambda: model.log["run"] == world.failed.number)
    assert model.connection == {"state": "live", "text": "Live"}


def test_nothing_is_asked_while_nobody_looks(shown: SweepWidget) -> None:
    following = shown._following
    send(shown, "shown")
    send(shown, "shown", "b")

    send(shown, "hidden")
    assert following.is_running
    send(shown, "hidden", "b")
    following.join(60)

    assert not following.is_running
    send(shown, "shown")
    assert following.is_running


def test_end_of_the_sweep_ends_the_thread(shown: SweepWidget, world: SweepWorld) -> None:
    cancel_sweep(world.sweep, user=world.alice)
    end(world.running, RunOutcome(signal=15, stopped_by_us=True))
    shown._following.wake()

    wait(lambda: shown.widget.connection["state"] == "ended")
    shown._following.join(60)
    assert not shown._following.is_running
    assert shown.widget.sweep["status"] == "Canceled"
