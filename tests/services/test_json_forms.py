"""The JSON of runs and sweeps, as REST, socket, command line and pages carry it."""

from __future__ import annotations

import math

import pytest

from experiments import queries
from experiments.models import Run
from experiments.services.advance import advance_sweep
from experiments.services.runs import RunOutcome, finish_run, lose_run
from tests.factories import make_running_run, make_sweep, make_user, report

pytestmark = pytest.mark.django_db


def test_hyperparameters_keep_the_declared_order_on_every_database():
    space = {"zeta": "uniform(0, 1)", "a": "uniform(0, 1)", "batch_size": "choice(1, 2)"}
    sweep = make_sweep(search_space=space, max_total_runs=1)
    advance_sweep(sweep.pk)
    run = Run.objects.select_related("sweep").get(sweep=sweep)

    assert list(queries.run_json(run)["hyperparameters"]) == list(space)
    assert list(queries.run_rows(sweep).items[0].params) == list(space)
    assert run.arguments[::2] == ["--zeta", "--a", "--batch_size"]


def test_the_json_of_a_run_is_the_one_of_the_contract():
    run = make_running_run(make_sweep(), lr=0.25, layers=2)
    report(run, [0.5, 0.75], steps=[10, 20])
    finish_run(run.pk, run.fence, RunOutcome(exit_code=0))

    found = queries.run_json(queries.get_run(make_user(), run.public_id))

    run.refresh_from_db()
    assert {key: found[key] for key in list(found) if key not in ("decision", "worker")} == {
        "id": run.public_id,
        "sweep": run.sweep.public_id,
        "number": 0,
        "status": "Completed",
        "label": "Completed",
        "css": "completed",
        "icon": "completed",
        "reason": "Exit code 0. Best accuracy 0.75 at interval 2 of 2.",
        "end_reason": "finished",
        "note": "",
        "hyperparameters": {"lr": 0.25, "layers": 2},
        "arguments": ["--lr", "0.25", "--layers", "2"],
        "best": {"value": 0.75, "interval": 2, "step": 20.0},
        "last": 0.75,
        "reports": 2,
        "retry_of": None,
        "resumed_from": None,
        "exit_code": 0,
        "duration": (run.ended_at - run.started_at).total_seconds(),
        "created": run.created_at.isoformat(),
        "started": run.started_at.isoformat(),
        "ended": run.ended_at.isoformat(),
        "outputs_removed": None,
    }


def test_a_repeated_run_names_the_one_it_repeats():
    run = make_running_run(make_sweep())
    retry = lose_run(run.pk, reason="Its worker died.")

    assert queries.run_json(retry)["retry_of"] == run.public_id


def test_the_json_of_a_sweep_is_the_one_of_the_contract():
    sweep = make_sweep(run_timeout_minutes=5)
    run = make_running_run(sweep, lr=0.25)
    report(run, [0.5])

    found = queries.sweep_json(queries.get_sweep(make_user(), sweep.public_id))

    assert found["id"] == sweep.public_id
    assert (found["status"], found["reason"], found["owner"]) == ("Running", "", "alice")
    assert found["url"] == f"/sweeps/{sweep.public_id}/"
    assert found["counts"] == {"Running": 1}
    assert found["limits"] == {
        "max_total_runs": 4,
        "max_concurrent_runs": 2,
        "max_duration_minutes": 60,
        "run_timeout_minutes": 5,
    }
    best = found["best_run"]
    assert {key: best[key] for key in ("id", "value", "hyperparameters", "arguments")} == {
        "id": run.public_id,
        "value": 0.5,
        "hyperparameters": {"lr": 0.25},
        "arguments": ["--lr", "0.25"],
    }


def test_numbers_that_json_cannot_write_are_words():
    values = [1.5, math.nan, math.inf, -math.inf]

    assert queries.numbers_json(values) == [1.5, "NaN", "Infinity", "-Infinity"]
