"""Sweeps over REST: their form, submitting, paging, events, curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments import queries
from experiments.models import Sweep
from experiments.states import SweepState
from tests.factories import make_run, make_sweep, report
from tests.web.api_world import World, call, get, make_world, submittable, zip_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def test_sweep_has_the_form_of_the_contract(world: World) -> None:
    sweep = get(world, f"/sweeps/{world.sweep.public_id}")

    expected = json.loads(json.dumps(queries.sweep_json(world.sweep)))
    assert sweep.keys() == {*expected, "queue"}
    assert sweep["url"] == f"http://testserver{world.sweep.get_absolute_url()}"
    assert sweep["status"] == "Running"
    assert sweep["counts"] == {"Running": 2}
    assert sweep["best_run"] == {
        "id": world.run.public_id,
        "number": 0,
        "value": 0.75,
        "hyperparameters": {"lr": 0.1, "layers": 2},
        "arguments": ["--lr", "0.1", "--layers", "2"],
    }


def test_submitted_sweep_is_created_with_its_warnings(world: World) -> None:
    body = submittable(search_space={"layers": "choice(1, 2)"}, max_total_runs=20)

    response = call("POST", "/sweeps", token=world.tokens["alice_write"], body=body)

    assert response.status_code == 201, response.content
    made = json.loads(response.content)
    assert Sweep.objects.get(public_id=made["id"]).owner == world.alice
    assert any("2 configurations" in warning for warning in made["warnings"])


def test_sweep_is_submitted_as_yaml(world: World) -> None:
    digest = submittable()["snapshot"]
    text = f"""
name: from yaml
snapshot: {digest}
script: train.py
search_space: {{lr: "loguniform(-6, -1)"}}
primary_metric: {{name: accuracy, goal: maximize}}
max_total_runs: 2
max_duration_minutes: 1e1
"""

    response = call(
        "POST",
        "/sweeps",
        token=world.tokens["alice_write"],
        body=text,
        content_type="application/yaml",
    )

    assert response.status_code == 201, response.content
    assert json.loads(response.content)["limits"]["max_duration_minutes"] == 10


def test_check_finds_the_same_and_creates_nothing(world: World) -> None:
    before = Sweep.objects.count()
    body = submittable(max_total_runs=0)

    response = call("POST", "/sweeps/check", token=world.tokens["alice_write"], body=body)

    found = json.loads(response.content)
    assert [error["path"] for error in found["errors"]] == ["max_total_runs"]
    assert Sweep.objects.count() == before


def test_uploaded_snapshot_is_stored_once(world: World) -> None:
    body = zip_of(train_py="print()", data_csv="1,2")
    token = world.tokens["alice_write"]

    answers = [
        call("POST", "/snapshots", token=token, body=body, content_type="application/zip")
        for _ in range(2)
    ]

    first, second = (json.loads(answer.content) for answer in answers)
    assert [answer.status_code for answer in answers] == [201, 201]
    assert first == second
    assert (first["files"], first["size"]) == (2, len(body))


@pytest.mark.parametrize("body", [b"no zip", b"", zip_of(**{"../../etc/x": "out"})])
def test_bad_snapshot_is_refused(world: World, body: bytes, tmp_path: Path) -> None:
    token = world.tokens["alice_write"]

    response = call("POST", "/snapshots", token=token, body=body, content_type="application/zip")

    assert response.status_code == 422
    assert json.loads(response.content)["errors"][0]["path"] == "snapshot"
    assert not list((tmp_path / "storage").rglob("*.zip"))


def test_sweeps_are_paged_newest_first_without_gap_or_repeat(world: World) -> None:
    made = [make_sweep(owner=world.alice, name=f"n{i}").public_id for i in range(6)]
    expected = [*reversed(made), world.sweep.public_id]

    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(world, f"/sweeps?limit=2&cursor={cursor}")
        assert len(page["items"]) <= 2
        found += [sweep["id"] for sweep in page["items"]]
        cursor = page["next_cursor"]
        if len(found) == 2:  # a new one must not move the pages that follow
            make_sweep(owner=world.alice, name="late")

    assert found == expected


def test_full_last_page_has_no_next(world: World) -> None:
    assert get(world, "/sweeps?limit=1")["next_cursor"] is None


def test_sweeps_are_filtered(world: World) -> None:
    other = make_sweep(owner=world.alice, name="other one", experiment="else", is_running=False)

    assert [s["id"] for s in get(world, "/sweeps?state=Queued")["items"]] == [other.public_id]
    assert [s["id"] for s in get(world, "/sweeps?experiment=else")["items"]] == [other.public_id]
    assert [s["id"] for s in get(world, "/sweeps?text=THER")["items"]] == [other.public_id]


def test_list_of_sweeps_takes_a_fixed_number_of_queries(
    world: World, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    for i in range(5):
        make_run(make_sweep(owner=world.alice, name=f"n{i}"))

    with django_assert_max_num_queries(8):
        assert len(get(world, "/sweeps")["items"]) == 6


def test_runs_are_listed_in_sampling_order_and_paged(world: World) -> None:
    for _ in range(2):
        make_run(world.sweep)
    address = f"/sweeps/{world.sweep.public_id}/runs"

    first = get(world, f"{address}?limit=3")
    rest = get(world, f"{address}?limit=3&cursor={first['next_cursor']}")

    assert [run["number"] for run in first["items"] + rest["items"]] == [0, 1, 2, 3]
    assert rest["next_cursor"] is None
    assert [r["number"] for r in get(world, f"{address}?state=Queued")["items"]] == [2, 3]


def test_best_run_is_null_before_the_first_report(world: World) -> None:
    fresh = make_sweep(owner=world.alice, name="fresh")

    assert get(world, f"/sweeps/{fresh.public_id}/best-run") is None
    best = get(world, f"/sweeps/{world.sweep.public_id}/best-run")
    assert best["id"] == world.run.public_id


def test_cancel_stops_the_sweep_once(world: World) -> None:
    address = f"/sweeps/{world.sweep.public_id}/cancel"
    token = world.tokens["alice_write"]

    first, second = (call("POST", address, token=token) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert json.loads(first.content)["status"] in {"CancelRequested", "Canceled"}
    world.sweep.refresh_from_db()
    assert world.sweep.state != SweepState.RUNNING


def test_events_are_told_once_and_to_the_end(world: World) -> None:
    address = f"/sweeps/{world.sweep.public_id}/events"
    cursor, events = 0, []
    while True:
        page = get(world, f"{address}?after={cursor}&limit=2")
        assert page["cursor"] >= cursor
        if page["cursor"] == cursor:
            break
        cursor = page["cursor"]
        events += page["events"]

    world.sweep.refresh_from_db()
    assert cursor == world.sweep.cursor
    assert all(1 <= event["cursor"] <= cursor for event in events)
    points = [e for e in events if e["type"] == "metrics"]
    assert [value for e in points for value in e["values"]] == [0.5, 0.75]

    report(world.run, [float("nan"), 0.8])
    later = get(world, f"{address}?after={cursor}")
    assert [e["values"] for e in later["events"] if e["type"] == "metrics"] == [["NaN", 0.8]]


def test_events_wait_answers_at_once_when_there_is_something(world: World) -> None:
    page = get(world, f"/sweeps/{world.sweep.public_id}/events?after=0&wait=20")

    assert page["events"]


def test_events_wait_ends_without_a_change(world: World) -> None:
    address = f"/sweeps/{world.sweep.public_id}/events"

    page = get(world, f"{address}?after={world.sweep.cursor}&wait=0.3")

    assert page == {"cursor": world.sweep.cursor, "events": []}


def test_curves_of_all_runs(world: World) -> None:
    report(world.other_run, [0.1, float("inf"), float("nan")])

    curves = get(world, f"/sweeps/{world.sweep.public_id}/metrics")

    assert curves["metric"] == "accuracy"
    assert [(c["number"], c["count"], c["values"]) for c in curves["items"]] == [
        (0, 2, [0.5, 0.75]),
        (1, 3, [0.1, "Infinity", "NaN"]),
    ]
    nothing = get(world, f"/sweeps/{world.sweep.public_id}/metrics?metric=none")
    assert nothing == {"metric": "none", "items": []}


def test_curves_are_thinned_out_and_keep_their_extremes(world: World) -> None:
    values = [0.0] * 2000
    values[777] = 9.0
    report(world.other_run, values)

    curves = get(world, f"/sweeps/{world.sweep.public_id}/metrics?limit=100")

    long = curves["items"][1]
    assert long["count"] == 2000
    assert len(long["values"]) <= 100
    assert 9.0 in long["values"]
