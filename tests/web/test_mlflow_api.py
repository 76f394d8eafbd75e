"""MLflow's tracking API: what each call does, who may make it, and how it is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from experiments.api.mlflow.routes import REFUSED, ROUTES
from experiments.models import Run
from experiments.services.metrics import Report, record_reports
from experiments.services.outcome import RunOutcome
from experiments.services.runs import finish_run
from runner.tail import JournalTail
from tests.servers import ROOT
from tests.web.api_world import World, make_world

pytestmark = pytest.mark.django_db

WRITES = {
    "runs/log-metric": {"key": "loss", "value": 1.5, "timestamp": 5000, "step": 3},
    "runs/log-batch": {"metrics": [{"key": "a", "value": "NaN", "timestamp": 1, "step": "2"}]},
    "runs/log-parameter": {"key": "depth", "value": "3"},
    "runs/set-tag": {"key": "team", "value": "red"},
    "runs/update": {"run_name": "renamed", "status": "FINISHED"},
    "runs/log-inputs": {"datasets": [{"dataset": {"name": "iris", "digest": "1"}}]},
}


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def call(endpoint: str, token: str, body: Any = None, **query: Any) -> tuple[int, Any]:
    """Send one call, POST with a body; return status and document."""
    address = f"/api/2.0/mlflow/{endpoint}" + (f"?{urlencode(query, doseq=True)}" if query else "")
    client = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {token}"})
    if body is None:
        response = client.get(address)
    else:
        response = client.post(address, json.dumps(body), content_type="application/json")
    return response.status_code, json.loads(response.content)


def send_file(world: World, name: str, content: bytes, token: str = "") -> tuple[int, Any]:
    token = token or world.run_token
    client = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {token}"})
    address = f"/api/2.0/mlflow-artifacts/artifacts/{world.run.public_id}/artifacts/{name}"
    response = client.put(address, content, content_type="text/plain")
    return response.status_code, json.loads(response.content)


def journal(world: World) -> list[tuple[str, Any, Any]]:
    entries = JournalTail(Path(world.run.directory) / "metrics.jsonl").read()
    return [(entry.name, entry.value, entry.step) for entry in entries]


def test_request_that_comes_again_counts_once(world: World) -> None:
    one = {"run_id": world.run.public_id, **WRITES["runs/log-metric"]}
    other = {**one, "timestamp": 5001}
    batch = {
        "run_id": world.run.public_id,
        "metrics": [{"key": "loss", "value": v, "timestamp": 6, "step": 1} for v in (1, 2, 2)],
    }

    for path, body in (
        ("runs/log-metric", one),
        ("runs/log-metric", one),
        ("runs/log-metric", other),
        ("runs/log-batch", batch),
        ("runs/log-batch", batch),
    ):
        assert call(path, world.run_token, body) == (200, {})

    assert journal(world) == [
        ("loss", 1.5, 3.0), ("loss", 1.5, 3.0), ("loss", 1.0, 1.0), ("loss", 2.0, 1.0),
    ]  # fmt: skip


def test_half_a_line_of_a_full_disk_spoils_no_report(world: World) -> None:
    with (Path(world.run.directory) / "metrics.jsonl").open("a") as file:
        file.write('{"n":"loss","v":1.')

    call(
        "runs/log-metric",
        world.run_token,
        {"run_id": world.run.public_id, **WRITES["runs/log-metric"]},
    )

    assert journal(world) == [("loss", 1.5, 3.0)]


def test_reports_are_read_back(world: World) -> None:
    at = 1_700_000_000.125
    reports = [Report(900 + i, "val/loss", v, float(i), at + i) for i, v in enumerate([3.0, 2.0])]
    record_reports(world.run.pk, world.run.fence, [*reports, Report(950, "word", "text", None, at)])
    run_id = world.run.public_id

    _, read = call("runs/get", world.run_token, run_id=run_id)
    _, history = call(
        "metrics/get-history", world.run_token, run_id=run_id, metric_key="val/loss", max_results=1
    )
    _, rest = call(
        "metrics/get-history", world.run_token, run_id=run_id, metric_key="val/loss",
        page_token=history["next_page_token"],
    )  # fmt: skip
    _, bulk = call(
        "metrics/get-history-bulk-interval", world.tokens["alice_read"], metric_key="val/loss",
        run_ids=[run_id, world.other_run.public_id], start_step=1,
    )  # fmt: skip

    last = {"key": "val/loss", "value": 2.0, "timestamp": 1_700_000_001_125, "step": 1}
    metrics = {m["key"]: m for m in read["run"]["data"]["metrics"]}
    assert metrics["val/loss"] == last
    assert set(metrics) == {"accuracy", "val/loss"}
    assert [m["value"] for m in history["metrics"]] == [3.0]
    assert rest == {"metrics": [last]}
    assert bulk == {"metrics": [{**last, "run_id": run_id}]}
    info = read["run"]["info"]
    assert (info["status"], info["lifecycle_stage"]) == ("RUNNING", "active")
    assert {p["key"]: p["value"] for p in read["run"]["data"]["params"]} == {
        "lr": "0.1",
        "layers": "2",
    }


def test_parameters_are_written_once(world: World) -> None:
    def log(key: str, value: str) -> tuple[int, Any]:
        body = {"run_id": world.run.public_id, "key": key, "value": value}
        return call("runs/log-parameter", world.run_token, body)

    assert log("lr", "0.1") == log("depth", "3") == log("depth", "3") == (200, {})
    status, error = log("depth", "4")

    world.run.refresh_from_db()
    assert (status, error["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert error["message"].startswith("The parameter 'depth' is '3' already and cannot become '4'")
    # What is a hyperparameter anyway is not kept twice.
    assert world.run.properties == {"depth": "3"}


def test_script_joins_its_run_and_nested_runs_are_parts_of_it(world: World) -> None:
    _, again = call("runs/create", world.run_token, {"experiment_id": "77", "run_name": "mine"})
    parent = {"key": "mlflow.parentRunId", "value": world.run.public_id}
    _, made = call("runs/create", world.run_token, {"tags": [parent], "run_name": "fold 1"})
    _, twin = call("runs/create", world.run_token, {"tags": [parent], "run_name": "fold 1"})
    part = made["run"]["info"]["run_id"]
    for path in ("runs/log-metric", "runs/log-parameter", "runs/set-tag"):
        assert call(path, world.run_token, {"run_id": part, **WRITES[path]}) == (200, {})
    _, read = call("runs/get", world.run_token, run_id=part)

    assert again["run"]["info"]["run_id"] == world.run.public_id
    assert again["run"]["info"]["run_name"] == "mine"
    assert (part, twin["run"]["info"]["run_id"]) == (
        f"{world.run.public_id}__fold-1", f"{world.run.public_id}__fold-1-2",
    )  # fmt: skip
    assert journal(world) == [("fold-1/loss", 1.5, 3.0)]
    assert {"key": "team", "value": "red"} in read["run"]["data"]["tags"]
    assert {"key": "mlflow.parentRunId", "value": world.run.public_id} in read["run"]["data"][
        "tags"
    ]
    assert read["run"]["data"]["params"] == [{"key": "depth", "value": "3"}]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("metrics.accuracy >= 0.75", [0]),
        ("metrics.accuracy != 0.75", []),
        ("params.lr = '0.1'", [0]),
        ("params.lr != '0.1' AND params.layers IN ('3', '4')", [1]),
        ("params.depth = '3'", [0]),
        ("params.depth IS NULL", [1]),
        ("tags.team LIKE 'r_d%' and status = 'RUNNING'", [0]),
        ("tags.`team` != 'red'", []),
        ("tags.studio.sweepName = 'digits' and run_name ilike 'DIGITS / 1'", [1]),
        ("user_id = 'alice' and start_time > 1600000000000 and end_time IS NULL", [1, 0]),
        ("status NOT IN ('RUNNING')", []),
        ("attributes.run_id = 'x'", []),
    ],
)
def test_runs_are_found(world: World, text: str, numbers: list[int]) -> None:
    Run.objects.filter(pk=world.run.pk).update(tags={"team": "red"}, properties={"depth": "3"})
    experiment = str(world.sweep.experiment_id)

    _, found = call(
        "runs/search", world.tokens["bob_read"], {"experiment_ids": [experiment], "filter": text}
    )

    names = [run["info"]["run_id"].rpartition("_")[2] for run in found["runs"]]
    assert sorted(map(int, names)) == sorted(numbers)


def test_runs_are_sorted_and_paged(world: World) -> None:
    body = {
        "experiment_ids": [world.sweep.public_id],
        "order_by": ["params.lr DESC"],
        "max_results": 1,
    }
    token = world.tokens["alice_read"]

    _, first = call("runs/search", token, body)
    _, second = call("runs/search", token, {**body, "page_token": first["next_page_token"]})
    _, by_metric = call("runs/search", token, {**body, "order_by": ["metrics.accuracy"]})

    found = [page["runs"][0]["info"]["run_id"] for page in (first, second, by_metric)]
    assert found == [world.other_run.public_id, world.run.public_id, world.run.public_id]
    assert "next_page_token" not in second


def test_search_asks_the_database_a_fixed_number_of_times(
    world: World, django_assert_max_num_queries: Any
) -> None:
    # Token, its use, workspaces and runs, last reports.
    with django_assert_max_num_queries(5):
        call(
            "runs/search",
            world.tokens["alice_read"],
            {"experiment_ids": [str(world.sweep.experiment_id)]},
        )


@pytest.mark.parametrize("path", WRITES)
def test_only_those_may_write_who_may(world: World, path: str) -> None:
    body = {"run_id": world.run.public_id, **WRITES[path]}
    refused = {
        "": (401, "UNAUTHENTICATED"),
        "nonsense": (401, "UNAUTHENTICATED"),
        world.tokens["alice_read"]: (403, "PERMISSION_DENIED"),
        world.tokens["bob_write"]: (403, "PERMISSION_DENIED"),
        world.tokens["charlie_admin"]: (404, "RESOURCE_DOES_NOT_EXIST"),
        world.other_run_token: (404, "RESOURCE_DOES_NOT_EXIST"),
    }

    for token, expected in refused.items():
        status, error = call(path, token, body)
        assert (status, error["error_code"]) == expected
    assert call(path, world.tokens["alice_write"], body)[0] == 200
    assert call(path, world.run_token, body)[0] == 200
    finish_run(world.run.pk, world.run.fence, RunOutcome(exit_code=0))
    assert call(path, world.run_token, body)[0] == 401


def test_strangers_read_nothing(world: World) -> None:
    experiment = str(world.sweep.experiment_id)
    send_file(world, "secret.txt", b"secret")
    for token in (world.tokens["charlie_admin"], world.other_run_token):
        assert call("runs/get", token, run_id=world.run.public_id)[0] == 404
        assert (
            call("metrics/get-history", token, run_id=world.run.public_id, metric_key="accuracy")[0]
            == 404
        )
        assert call("artifacts/list", token, run_id=world.run.public_id)[0] == 404
        assert send_file(world, "x.txt", b"x", token=token)[0] == 404
        client = Client(headers={"authorization": f"Bearer {token}"})
        place = f"{world.run.public_id}/artifacts"
        base = "/api/2.0/mlflow-artifacts/artifacts"
        assert client.get(f"{base}/{place}/secret.txt").status_code == 404
        assert client.get(base, {"path": place}).status_code == 404
    stranger = world.tokens["charlie_admin"]
    assert call("experiments/get", stranger, experiment_id=experiment)[0] == 404
    assert call("experiments/get-by-name", stranger, experiment_name="digits")[0] == 404
    assert call("experiments/search", stranger, {"max_results": 10}) == (200, {"experiments": []})
    assert call("runs/search", stranger, {"experiment_ids": [experiment]}) == (200, {"runs": []})
    # A run's token finds its run, not those beside it.
    _, found = call("runs/search", world.run_token, {"experiment_ids": [experiment]})
    assert [run["info"]["run_id"] for run in found["runs"]] == [world.run.public_id]


def test_logged_model_is_found_by_id_and_name(world: World) -> None:
    token = world.run_token
    _, made = call("logged-models", token, {"name": "net", "source_run_id": world.run.public_id})
    info = made["model"]["info"]
    address = f"logged-models/{info['model_id']}"
    client = Client(headers={"authorization": f"Bearer {token}"})
    ready = client.patch(
        f"/api/2.0/mlflow/{address}", json.dumps({"status": "LOGGED_MODEL_READY"}),
        content_type="application/json",
    )  # fmt: skip
    _, read = call(address, token)
    search = {"experiment_ids": [info["experiment_id"]], "filter": "name = 'net'"}
    _, found = call("logged-models/search", world.tokens["bob_read"], search)

    assert ready.status_code == 200
    assert read["model"]["info"]["status"] == "LOGGED_MODEL_READY"
    assert info["artifact_uri"].endswith(f"{world.run.public_id}/artifacts/models/net")
    assert [model["info"]["model_id"] for model in found["models"]] == [info["model_id"]]
    assert call(address, world.tokens["charlie_admin"])[0] == 404
    assert call("logged-models/m-x__y", token)[0] == 404


@pytest.mark.parametrize(
    ("path", "change", "part"),
    [
        ("runs/log-metric", {"value": "high"}, "'value' is 'high'; it must be a number"),
        ("runs/log-metric", {"step": 1.5}, "'step' is 1.5; it must be a whole number"),
        ("runs/log-metric", {"key": "x" * 300}, "it has 300 characters, at most 250"),
        ("runs/log-metric", {"key": "a\0b"}, "no null character"),
        ("runs/log-metric", {"run_id": None}, "'run_uuid' is None; it is required"),
        ("runs/log-batch", {"metrics": [{"key": "a"}]}, "'metrics[0].value' is None"),
        ("runs/log-batch", {"metrics": "x"}, "'metrics' is 'x'; it must be a list of objects"),
        ("runs/log-batch", {"metrics": [{}] * 1001}, "'metrics' has 1001 entries; at most 1000"),
        ("runs/update", {"status": "GONE"}, "'status' is 'GONE'; use RUNNING"),
    ],
)
def test_wrong_value_is_named(world: World, path: str, change: dict[str, Any], part: str) -> None:
    body = {"run_id": world.run.public_id, **WRITES[path], **change}

    status, error = call(path, world.run_token, body)

    assert (status, error["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert part in error["message"]
    assert journal(world) == []


def test_what_is_not_offered_says_why(world: World) -> None:
    token = world.tokens["alice_write"]
    run_id = world.run.public_id

    assert call("registered-models/create", token, {"name": "m"})[0] == 501
    assert (
        "Register on the page"
        in call("registered-models/create", token, {"name": "m"})[1]["message"]
    )
    assert call("runs/delete", token, {"run_id": run_id})[1]["error_code"] == "NOT_IMPLEMENTED"
    assert "made by sweeps" in call("runs/create", token, {})[1]["message"]
    assert call("nothing/here", token)[1]["error_code"] == "ENDPOINT_NOT_FOUND"
    assert "use POST" in call("runs/log-metric", token)[1]["message"]
    assert call("runs/search", token, [1])[1]["error_code"] == "MALFORMED_REQUEST"


def test_documentation_lists_every_endpoint() -> None:
    text = (ROOT / "docs" / "reference" / "mlflow.md").read_text()
    listed = set(re.findall(r"`(GET|POST|PATCH) ([\w/{}-]+)`", text))

    assert listed == set(ROUTES)
    assert [begin for begin in REFUSED if f"`{begin}" not in text] == []
