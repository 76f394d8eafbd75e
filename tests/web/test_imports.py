"""Imported sweeps: what goes out comes in again, all of it or nothing, and is never executed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet
import pytest
from django.test import Client
from django.urls import reverse

from experiments.imports.document import document_of
from experiments.imports.observed import ObservedRun, ObservedSeries, ObservedSweep
from experiments.models import Event, Experiment, MetricChunk, Run, Snapshot, Sweep
from experiments.queries.warm_start import earlier_runs
from experiments.services.metrics import Report, record_reports
from experiments.services.outcome import RunOutcome
from experiments.services.refused import Refused
from experiments.services.retries import retry_failed, retry_run
from experiments.services.runs import begin_finalizing, finish_run
from experiments.services.sampling import propose_runs
from experiments.services.sweeps import cancel_sweep, submit_spec
from tests.factories import make_sweep
from tests.web.api_world import World, assert_problem, call, get, make_world, submittable

pytestmark = pytest.mark.django_db

SPEC = {
    "name": "observed",
    "experiment": "elsewhere",
    "script": "imported.py",
    "search_space": {"lr": "uniform(0, 1)", "opt": "choice('sgd', 'adam')"},
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 3,
}


@pytest.fixture
def world(tmp_path: Path, settings) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path)


def observed(**changes) -> ObservedSweep:
    runs = [
        ObservedRun(0, {"lr": 0.1, "opt": "sgd"}, series=[ObservedSeries("loss", [3.0, 1.0, 2.0])]),
        ObservedRun(1, {"lr": 0.2, "opt": "adam"}, status="Failed", reason="Out of memory."),
        ObservedRun(
            2,
            {"lr": 0.3},
            status="Canceled",
            end_reason="policy",
            series=[
                ObservedSeries("acc", [0.5, float("nan"), float("-inf"), "odd"], [0, None, 2.5, 3]),
                ObservedSeries("loss", [5.0], times=[1_700_000_000.25]),
            ],
        ),
    ]
    return ObservedSweep("csv", "trials.csv", SPEC, runs, **changes)


def send(world: World, body: object, query: str = "", token: str = "alice_write"):
    text = "".join(document_of(body)) if isinstance(body, ObservedSweep) else json.dumps(body)
    return call("POST", f"/imports{query}", token=world.tokens[token], body=text)


def imported(world: World, body: object, query: str = "") -> Sweep:
    answer = send(world, body, query)
    assert answer.status_code == 201, answer.content
    return Sweep.objects.get(public_id=json.loads(answer.content)["sweep"]["id"])


def export(world: World, sweep: Sweep, what: str, format_name: str, **query: str) -> bytes:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    path = f"/sweeps/{sweep.public_id}/export/{what}?format={format_name}{more}"
    answer = call("GET", path, token=world.tokens["alice_read"])
    assert answer.status_code == 200, answer.content
    return answer.content


def without_ids(content: bytes) -> dict:
    document = json.loads(content)
    del document["source"]
    return document


def test_an_imported_sweep_has_ended_and_says_where_it_comes_from(world):
    sweep = imported(world, observed())

    assert (sweep.state, sweep.reason) == (
        "Completed",
        "All 3 runs ended: 1 completed, 1 stopped early, 1 failed. Best loss 1 by run 0.",
    )
    assert (sweep.imported.kind, sweep.imported.source, sweep.imported.by) == (
        "csv", "trials.csv", world.alice,
    )  # fmt: skip
    assert (sweep.best_run.number, sweep.best_value, sweep.owner) == (0, 1.0, world.alice)
    first, failed, early = sweep.runs.order_by("number")
    assert (first.reports, first.best_value, first.best_interval, first.last_value) == (3, 1, 2, 2)
    assert first.arguments == ["--lr", "0.1", "--opt", "sgd"]
    assert first.reason == "Best loss 1 at interval 2 of 3."
    assert (failed.end_reason, failed.reason) == ("nonzero_exit", "Out of memory.")
    assert (early.end_reason, early.reports) == ("policy", 1)
    events = Event.objects.filter(sweep=sweep).order_by("cursor")
    log = list(events.values_list("message", flat=True))
    assert log[0] == "Sweep: imported from trials.csv by alice"
    assert "Run 1: Failed. Out of memory." in log
    for name in ("sweep", "sweep_runs", "sweep_charts", "sweep_timeline", "sweep_failures",
                 "sweep_configuration", "sweep_logs", "sweep_best"):  # fmt: skip
        client = Client()
        client.force_login(world.alice)
        page = client.get(reverse(name, args=[sweep.public_id]))
        assert page.status_code == 200, name
        assert (name == "sweep_best") or "Imported from" in page.content.decode(), name
    assert (
        "What it printed is where it ran." in client.get(first.get_absolute_url()).content.decode()
    )


def test_what_goes_out_comes_in_again(world):
    run = world.run
    record_reports(
        run.pk,
        run.fence,
        [
            Report(100 + i, "loss", value, step, 1_700_000_000.125 + i)
            for i, (value, step) in enumerate(
                [(0.1, 1.0), (float("nan"), None), (float("inf"), 3.5), ("odd", 4.0)]
            )
        ],
    )
    begin_finalizing(run.pk, run.fence)
    finish_run(run.pk, run.fence, RunOutcome(exit_code=0))
    Run.objects.filter(pk=run.pk).update(tags={"team": "vision", "x": None}, properties={"a": "b"})
    cancel_sweep(world.sweep, user=world.alice)
    finish_run(world.other_run.pk, 1, RunOutcome(stopped_by_us=True))
    world.sweep.refresh_from_db()
    assert world.sweep.state == "Canceled"

    first = export(world, world.sweep, "metrics", "json")
    copy = imported(world, json.loads(first))
    again = export(world, copy, "metrics", "json")

    assert without_ids(again) == without_ids(first)
    assert copy.public_id != world.sweep.public_id
    for what in ("runs", "metrics"):
        tables = [
            list(csv.reader(io.StringIO(export(world, sweep, what, "csv").decode())))
            for sweep in (world.sweep, copy)
        ]
        ours, theirs = ([row[:-1] for row in table] for table in tables)
        assert ours == theirs


def test_reports_leave_exactly(world):
    sweep = imported(world, observed())

    rows = list(csv.reader(io.StringIO(export(world, sweep, "metrics", "csv").decode())))
    assert rows[0] == ["run", "metric", "interval", "step", "time", "value", "text", "id"]
    assert [row[:4] + row[5:7] for row in rows[4:8]] == [
        ["2", "acc", "1", "0.0", "0.5", ""],
        ["2", "acc", "2", "", "NaN", ""],
        ["2", "acc", "3", "2.5", "-Infinity", ""],
        ["2", "acc", "4", "3.0", "", "odd"],
    ]
    assert rows[8][4:6] == ["1700000000.25", "5.0"]
    table = pyarrow.parquet.read_table(io.BytesIO(export(world, sweep, "metrics", "parquet")))
    assert table["value"].to_pylist()[:3] == [3.0, 1.0, 2.0]
    assert str(table["value"].to_pylist()[4:6]) == "[nan, -inf]"
    assert table["text"].to_pylist()[6] == "odd"
    some = json.loads(export(world, sweep, "runs", "json", filter="number:2"))
    assert [(run["number"], "metrics" in run) for run in some["runs"]] == [(2, False)]
    refused = call(
        "GET",
        f"/sweeps/{sweep.public_id}/export/runs?filter=numbr>1",
        token=world.tokens["alice_read"],
    )
    assert "Did you mean number?" in assert_problem(refused, 422)[0]["message"]


def test_the_same_content_is_stored_once_unless_asked_again(world):
    checked = json.loads(send(world, observed(), "?dry_run=true").content)
    assert (checked["outcome"], checked["sweep"]) == ("checked", None)
    assert (checked["runs"], checked["reports"], checked["metrics"]) == (3, 8, ["loss", "acc"])
    assert not Experiment.objects.filter(name="elsewhere").exists()

    sweep = imported(world, observed())
    present = send(world, observed())
    assert present.status_code == 200
    answer = json.loads(present.content)
    assert (answer["outcome"], answer["sweep"]["id"]) == ("present", sweep.public_id)
    assert imported(world, observed(), "?again=true").pk != sweep.pk


def test_nobody_imports_where_they_may_not(world):
    assert_problem(send(world, observed(), token="alice_read"), 403)
    assert_problem(send(world, observed(), token="bob_write"), 403)
    sweep = imported(world, observed())
    path = f"/sweeps/{sweep.public_id}/export/runs"
    assert_problem(call("GET", path, token=world.tokens["charlie_read"]), 404)
    assert_problem(call("GET", path), 401)


def test_wrong_documents_name_every_problem_and_leave_nothing(world):
    document = json.loads("".join(document_of(observed())))
    runs = document["runs"]
    runs[0]["status"] = "Odd"
    runs[1] |= {"number": 0, "end_reason": "policy", "started": "2026-11-21"}
    runs[2]["metrics"][0] |= {"values": [True], "steps": [1, 2]}
    before = Sweep.objects.count()

    errors = {e["path"]: e["message"] for e in assert_problem(send(world, document), 422)}
    assert set(errors) == {
        "runs[1].number", "runs[1].started", "runs[2].metrics[0].values[0]",
        "runs[2].metrics[0].steps",
    }  # fmt: skip
    assert "use ISO 8601 with an offset" in errors["runs[1].started"]

    document = json.loads("".join(document_of(observed())))
    document["runs"][0] |= {"status": "Odd", "hyperparameters": {"lrr": 1}}
    document["runs"][1]["end_reason"] = "policy"
    errors = {e["path"]: e["message"] for e in assert_problem(send(world, document), 422)}
    assert set(errors) == {
        "runs[0].status", "runs[0].hyperparameters.lrr", "runs[1].end_reason",
    }  # fmt: skip

    document["sweep"]["spec"]["primary_metric"] = {"name": "loss", "goal": "up"}
    assert assert_problem(send(world, document), 422)[0]["path"] == "primary_metric.goal"
    for body in ({}, [], {"format": "sweep-studio/sweep", "version": 2}):
        assert_problem(send(world, body), 422)
    assert_problem(call("POST", "/imports", token=world.tokens["alice_write"], body="{"), 400)
    assert_problem(call("POST", "/imports", token=world.tokens["alice_write"], body="NaN"), 400)
    assert Sweep.objects.count() == before


def test_what_breaks_in_the_middle_leaves_nothing(world, monkeypatch):
    def broken(*args, **options):
        raise OSError("disk full")

    before = [model.objects.count() for model in (Sweep, Run, MetricChunk, Event, Experiment)]
    monkeypatch.setattr("experiments.services.import_runs.end_sweep", broken)
    assert send(world, observed()).status_code >= 500
    after = [model.objects.count() for model in (Sweep, Run, MetricChunk, Event, Experiment)]
    assert after == before


def test_imported_runs_are_not_repeated_and_no_target_is_offered(world):
    sweep = imported(world, observed())

    assert retry_failed(sweep, user=world.alice) == []
    with pytest.raises(Refused, match="was imported"):
        retry_run(sweep.runs.get(number=1), user=world.alice)
    names = [target["name"] for target in get(world, "/compute")["items"]]
    assert "imported" not in names
    assert sweep.compute.is_enabled is False
    assert Snapshot.objects.filter(sweeps=sweep).count() == 1


def test_no_sweep_is_submitted_with_code_that_is_not_here(world):
    sweep = imported(world, observed())
    spec = get(world, f"/sweeps/{sweep.public_id}/spec")
    refused = call("POST", "/sweeps", token=world.tokens["alice_write"], body=spec)
    [problem] = assert_problem(refused, 422)
    assert (problem["path"], "without its code" in problem["message"]) == ("snapshot", True)


def test_new_sweeps_go_on_from_imported_ones(world):
    sweep = imported(world, observed())
    spec = submittable(
        search_space=SPEC["search_space"],
        primary_metric=SPEC["primary_metric"],
        sampling="bayesian",
        early_termination=None,
        resume_from=[sweep.public_id],
    )
    made, _ = submit_spec(
        {key: value for key, value in spec.items() if key != "snapshot"},
        owner=world.alice,
        workspace=world.sweep.experiment.workspace,
        snapshot_digest=spec["snapshot"],
    )

    assert [run.value for run in earlier_runs(made)] == [1.0, None, 5.0]
    # The run that lacks a value teaches the sampler nothing and stops nothing.
    assert len(propose_runs(made, 1).runs) == 1
    assert make_sweep().state == "Running"


def test_what_had_not_ended_is_over_where_it_is_imported(world):
    copy = imported(world, json.loads(export(world, world.sweep, "metrics", "json")))

    assert (copy.state, copy.end_reason) == ("Canceled", "user")
    assert copy.reason.startswith("It was Running when it was read")
    assert set(copy.runs.values_list("state", flat=True)) == {"Canceled"}
