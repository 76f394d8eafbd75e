"""What a notebook is sent of a sweep: everything first, then what has changed, and one log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.models import Sweep
from experiments.services.access import make_api_token
from experiments.services.runs import RunOutcome
from studio.sdk.client import Connection, StudioClient, StudioRefusedError
from studio.sdk.sweep_documents import SweepDocuments
from tests.earlier_sweeps import make_ended_sweep
from tests.factories import report
from tests.web.sweep_world import SweepWorld, end, make_sweep_world

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = {"sweep", "runs", "figure", "curves", "parallel", "log"}


@pytest.fixture
def world(tmp_path: Path) -> SweepWorld:
    return make_sweep_world(tmp_path)


def documents(live_server: Any, sweep: Sweep, user: Any) -> SweepDocuments:
    token = make_api_token(user, name="notebook", scope="read")[1]
    return SweepDocuments(StudioClient(Connection(live_server.url, token)), sweep.public_id)


def test_everything_comes_first_and_then_what_has_changed(live_server: Any, world: Any) -> None:
    reader = documents(live_server, world.sweep, world.bob)

    first = reader.update({})
    nothing = reader.update({})
    report(world.running, [0.95])
    grown = reader.update({})
    end(world.running, RunOutcome(exit_code=0))
    ended = reader.update({})

    assert set(first) == NAMES
    assert first["sweep"]["best_run"]["number"] == world.winner.number
    assert first["sweep"]["url"].startswith(live_server.url)
    assert first["runs"]["params"] == ["lr", "layers"]
    row = first["runs"]["rows"][world.stopped.number]
    assert row[:4] == [world.stopped.number, "Canceled", "Stopped early", "terminated"]
    assert row[-2:] == [0.2, 3]
    assert nothing == {}
    assert set(grown) >= {"sweep", "runs", "figure", "curves", "parallel"}
    assert grown["sweep"]["best_run"]["value"] == 0.95
    assert "table" not in grown["parallel"]
    assert ended["runs"]["rows"][world.running.number][1] == "Completed"
    # One of its runs still waits.
    assert not reader.has_ended


def test_another_metric_is_read_when_it_is_wanted(live_server: Any, world: Any) -> None:
    reader = documents(live_server, world.sweep, world.alice)
    reader.update({})

    other = reader.update({"metric": "loss <b>", "x": "time"})
    same = reader.update({"metric": "loss <b>", "x": "time"})

    assert set(other) == {"figure", "curves"}
    assert other["curves"]["numbers"] == [world.winner.number]
    assert (other["figure"]["metric"], other["curves"]["x"]) == ("loss <b>", "time")
    assert other["figure"]["metrics"] == ["accuracy", "loss <b>"]
    assert same == {}


def test_log_is_that_of_the_wanted_run_and_only_its_end(
    live_server: Any, world: Any, tmp_path: Path
) -> None:
    reader = documents(live_server, world.sweep, world.alice)
    log = Path(world.running.directory) / "logs" / "std_log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("epoch 1\n")

    running = reader.update({})["log"]
    log.write_text("epoch 1\nepoch 2\n")
    grown = reader.update({})["log"]
    chosen = reader.update({"run": world.winner.number})["log"]
    log.write_text("".join(f"line {n}\n" for n in range(20_000)))
    long = reader.update({"run": world.running.number})["log"]

    assert running == {"run": world.running.number, "text": "epoch 1\n", "note": ""}
    assert grown["text"] == "epoch 1\nepoch 2\n"
    assert chosen["run"] == world.winner.number
    assert long["text"].endswith("line 19999\n")
    assert long["text"].startswith("line ")
    assert len(long["text"]) < 50_000
    kept, size = len(long["text"]) // 1000, log.stat().st_size // 1000
    assert long["note"] == f"the last {kept} kB of {size} kB"


def test_runs_of_one_report_have_no_curves(live_server: Any) -> None:
    sweep = make_ended_sweep([0.1], [0.3], [0.2])
    reader = documents(live_server, sweep, sweep.owner)

    found = reader.update({})

    assert found["figure"]["x"] == "run"
    assert found["curves"] is None
    assert found["figure"]["styles"]["best"]["width"] > 1
    assert [row[7] for row in found["runs"]["rows"]] == [0.1, 0.3, 0.2]
    assert reader.has_ended


def test_stranger_reads_nothing(live_server: Any, world: Any) -> None:
    reader = documents(live_server, world.sweep, world.charlie)

    with pytest.raises(StudioRefusedError) as caught:
        reader.update({})

    assert caught.value.status == 404
