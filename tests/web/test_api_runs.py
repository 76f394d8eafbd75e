"""Runs over REST: their form, metrics, reports, log and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments import queries
from experiments.models import Run
from experiments.services.outcome import RunOutcome
from experiments.services.runs import finish_run
from experiments.services.transitions import move_run
from experiments.states import RunState
from studio.sdk.run import parse_report
from tests.factories import report
from tests.web.api_world import World, assert_problem, call, get, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def test_run_has_the_form_of_the_contract(world: World) -> None:
    run = get(world, f"/runs/{world.run.public_id}")

    fresh = Run.objects.select_related("sweep", "retry_of").get(pk=world.run.pk)
    assert run.keys() == {*queries.run_detail_json(fresh), "queue"}
    assert run["id"] == f"{world.sweep.public_id}_0"
    assert run["hyperparameters"] == {"lr": 0.1, "layers": 2}
    assert run["best"] == {"value": 0.75, "interval": 2, "step": None}
    assert (run["status"], run["reports"], run["retry_of"]) == ("Running", 2, None)


def test_hyperparameters_keep_their_types(world: World) -> None:
    params = {"a": 1, "b": 1.0, "c": True, "d": "1", "e": None, "f": [1, "x"], "g": {"h": 0.5}}
    Run.objects.filter(pk=world.run.pk).update(params=params)

    found = get(world, f"/runs/{world.run.public_id}")["hyperparameters"]

    assert found == params
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in params.items()
    }


def test_metrics_of_a_run_with_steps_and_text(world: World) -> None:
    report(world.run, ["a word", 0.25], steps=[10, None])
    report(world.run, [1.5], name="loss")

    series = {s["name"]: s for s in get(world, f"/runs/{world.run.public_id}/metrics")["items"]}

    assert sorted(series) == ["accuracy", "loss"]
    assert series["accuracy"]["values"] == [0.5, 0.75, "a word", 0.25]
    assert series["accuracy"]["intervals"] == [1, 2, 3, 4]
    assert series["accuracy"]["steps"] == [None, None, 10.0, None]
    only = get(world, f"/runs/{world.run.public_id}/metrics?name=loss")
    assert [s["name"] for s in only["items"]] == ["loss"]


def test_reports_go_to_the_journal_that_the_executor_reads(world: World) -> None:
    body = [
        {"name": "accuracy", "value": 0.9, "step": 3, "time": 1700000000},
        {"name": "accuracy", "value": "NaN"},
        {"name": "note", "value": "late é\n"},
        {"name": "flag", "value": True},
    ]

    response = call(
        "POST", f"/runs/{world.run.public_id}/metrics", token=world.run_token, body=body
    )

    assert (response.status_code, json.loads(response.content)) == (202, {"accepted": 4})
    lines = (Path(world.run.directory) / "metrics.jsonl").read_bytes().splitlines()
    reports = [parse_report(line) for line in lines]
    assert reports[0] == ("accuracy", 0.9, 3.0, 1700000000.0)
    assert [r[0] for r in reports if r] == ["accuracy", "accuracy", "note", "flag"]
    assert str(reports[1][1]) == "nan"  # type: ignore[index] # four lines, four reports
    assert reports[2][1:3] == ("late é\n", None)  # type: ignore[index]
    assert reports[3][1] == 1.0  # type: ignore[index]


@pytest.mark.parametrize("state", ["Starting", "Finalizing", "Completed"])
def test_run_that_does_not_run_takes_no_reports(world: World, state: str) -> None:
    Run.objects.filter(pk=world.run.pk, state="Running")
    if state == "Starting":
        Run.objects.filter(pk=world.run.pk).update(state=RunState.STARTING)
    else:
        move_run(world.run.pk, RunState.FINALIZING)
    if state == "Completed":
        finish_run(world.run.pk, world.run.fence, RunOutcome(exit_code=0))

    response = call(
        "POST",
        f"/runs/{world.run.public_id}/metrics",
        token=world.tokens["alice_write"],
        body=[{"name": "accuracy", "value": 1}],
    )

    assert state in assert_problem(response, 409)[0]["message"]
    assert (Path(world.run.directory) / "metrics.jsonl").read_text() == ""


def test_run_on_another_machine_says_where_to_report(world: World) -> None:
    Run.objects.filter(pk=world.run.pk).update(directory="/far/away", host="gpu-7")

    response = call(
        "POST",
        f"/runs/{world.run.public_id}/metrics",
        token=world.tokens["alice_write"],
        body=[{"name": "accuracy", "value": 1}],
    )

    assert "gpu-7" in assert_problem(response, 409)[0]["message"]


def test_cancel_asks_a_live_run_to_stop(world: World) -> None:
    address = f"/runs/{world.run.public_id}/cancel"
    token = world.tokens["alice_write"]

    first, second = (json.loads(call("POST", address, token=token).content) for _ in range(2))

    assert (first["status"], first["end_reason"]) == ("CancelRequested", "user")
    assert second["status"] == "CancelRequested"
    assert "alice" in first["reason"]


def test_log_is_read_piece_by_piece(world: World) -> None:
    address = f"/runs/{world.run.public_id}/logs"

    first = get(world, f"{address}?limit=10")
    rest = get(world, f"{address}?offset={first['next_offset']}")

    assert first["text"] + rest["text"] == "epoch 1\nepoch 2\n"
    assert (rest["next_offset"], rest["size"], rest["done"]) == (16, 16, False)
    finish_run(world.run.pk, world.run.fence, RunOutcome(exit_code=0))
    assert get(world, f"{address}?offset=16") == {
        "text": "",
        "offset": 16,
        "next_offset": 16,
        "size": 16,
        "done": True,
    }


def test_run_without_a_directory_has_no_log_and_no_files(world: World) -> None:
    Run.objects.filter(pk=world.run.pk).update(directory="")

    assert get(world, f"/runs/{world.run.public_id}/logs")["text"] == ""
    assert get(world, f"/runs/{world.run.public_id}/files")["items"] == []
    address = f"/runs/{world.run.public_id}/files/outputs/model.txt"
    assert_problem(call("GET", address, token=world.tokens["alice_read"]), 404)


def test_files_are_listed_with_their_addresses(world: World) -> None:
    odd = Path(world.run.directory) / "outputs/a b#é?.txt"
    odd.write_text("odd", encoding="utf-8")

    items = get(world, f"/runs/{world.run.public_id}/files")["items"]

    assert [item["path"] for item in items] == [
        "logs/std_log.txt",
        "outputs/a b#é?.txt",
        "outputs/model.txt",
    ]
    address = items[1]["url"].removeprefix("http://testserver/api/v1")
    assert call("GET", address, token=world.tokens["alice_read"]).content == b"odd"


def test_downloaded_page_cannot_act_as_the_studio(world: World) -> None:
    page = Path(world.run.directory) / "outputs/page.html"
    page.write_text("<script>alert(1)</script>")

    response = call(
        "GET",
        f"/runs/{world.run.public_id}/files/outputs/page.html",
        token=world.tokens["alice_read"],
    )

    assert response.content == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "path",
    [
        "metrics.jsonl",
        "outputs/../metrics.jsonl",
        "outputs/%2e%2e/metrics.jsonl",
        "..%2f..%2fsecret",
        "outputs/leak",
        "/etc/passwd",
        "outputs",
        "",
    ],
)
def test_nothing_outside_the_files_of_a_run_is_served(
    world: World, tmp_path: Path, path: str
) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (Path(world.run.directory) / "outputs/leak").symlink_to(tmp_path / "secret")

    response = call(
        "GET", f"/runs/{world.run.public_id}/files/{path}", token=world.tokens["alice_read"]
    )

    assert_problem(response, 404)
