"""What a program reads of a sweep, over HTTP: best run, sorted runs, metrics, hyperparameters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from experiments.models import Run as StoredRun
from experiments.models import Sweep
from experiments.services.access import make_api_token
from studio.sdk import Experiment, HyperDriveRun, UserErrorException, Workspace
from tests.earlier_sweeps import make_ended_sweep
from tests.factories import make_sweep, make_user

pytestmark = pytest.mark.django_db(transaction=True)

NAN = float("nan")
# One run each: the best, none at all, NaN only, canceled with a zero, failed, the worst.
CURVES: list[list[float]] = [[0.1, 0.9, 0.2], [], [NAN], [0.0], [-0.5], [-0.7]]
STATES = {3: "Canceled", 4: "Failed"}


@pytest.fixture
def reader(live_server: Any) -> Any:
    """How a program looks at a stored sweep."""
    token = make_api_token(make_user(), name="reader", scope="write")[1]
    experiment = Experiment(Workspace(live_server.url, token), "digits")
    return lambda sweep: HyperDriveRun(experiment, sweep.public_id)


def ended(goal: str = "maximize", **spec: Any) -> Sweep:
    """Return the sweep of CURVES."""
    metric = {"name": "accuracy", "goal": goal}
    sweep = make_ended_sweep(*CURVES, primary_metric=metric, **spec)
    for number, state in STATES.items():
        StoredRun.objects.filter(sweep=sweep, number=number).update(state=state)
    return sweep


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["run_id"].rpartition("_")[2]) for row in rows]


@pytest.mark.parametrize(
    ("goal", "valued", "best"),
    [("maximize", [0, 3, 4, 5], 0.9), ("minimize", [5, 4, 3, 0], -0.7)],
)
def test_runs_are_sorted_by_goal_with_those_without_a_value_last(
    reader: Any, goal: str, valued: list[int], best: float
) -> None:
    run = reader(ended(goal))

    rows = run.get_children_sorted_by_primary_metric()
    turned = run.get_children_sorted_by_primary_metric(reverse=True)

    assert numbers(rows) == [*valued, 1, 2]
    # Only those with a value change places.
    assert numbers(turned) == [*reversed(valued), 1, 2]
    assert rows[0]["best_primary_metric"] == best
    assert [row["best_primary_metric"] for row in rows[-2:]] == [None, None]
    assert numbers(run.get_children_sorted_by_primary_metric(top=0)) == numbers(rows)
    assert numbers(run.get_children_sorted_by_primary_metric(top=2)) == valued[:2]
    assert numbers(run.get_children_sorted_by_primary_metric(discard_no_metric=True)) == valued


def test_best_of_a_run_is_over_all_its_reports_and_zero_is_a_value(reader: Any) -> None:
    rows = reader(ended("minimize")).get_children_sorted_by_primary_metric()

    found = dict(zip(numbers(rows), rows, strict=True))
    assert found[0]["best_primary_metric"] == 0.1
    assert found[3]["best_primary_metric"] == 0.0
    assert [found[n]["status"] for n in (0, 3, 4)] == ["Completed", "Canceled", "Failed"]
    assert {type(json.loads(row["hyperparameters"])) for row in rows} == {dict}


def test_best_run_may_be_failed_or_canceled_unless_left_out(reader: Any) -> None:
    sweep = make_ended_sweep([0.5], [0.9], [0.8])
    for number, state in {1: "Failed", 2: "Canceled"}.items():
        StoredRun.objects.filter(sweep=sweep, number=number).update(state=state)
    run = reader(sweep)

    def best(**conditions: bool) -> str:
        found = run.get_best_run_by_primary_metric(**conditions)
        return str(found.id)

    assert best() == f"{run.id}_1"
    assert best(include_failed=False) == f"{run.id}_2"
    assert best(include_failed=False, include_canceled=False) == f"{run.id}_0"


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_zero_is_the_best_value_beside_an_earlier_sweep(reader: Any, goal: str) -> None:
    metric = {"name": "accuracy", "goal": goal}
    worse = -1.0 if goal == "maximize" else 1.0
    earlier = make_ended_sweep([worse], primary_metric=metric)
    run = reader(
        make_ended_sweep([worse], [0.0], primary_metric=metric, resume_from=[earlier.public_id])
    )

    best = run.get_best_run_by_primary_metric()

    assert best.id == f"{run.id}_1"
    assert best.get_metrics()["accuracy"] == 0.0


def test_best_run_is_looked_for_among_earlier_sweeps(reader: Any) -> None:
    earlier = make_ended_sweep([0.9])
    run = reader(make_ended_sweep([0.5], resume_from=[earlier.public_id]))

    assert run.get_best_run_by_primary_metric().id == f"{earlier.public_id}_0"
    own = run.get_best_run_by_primary_metric(include_resume_from_runs=False)
    assert own.id == f"{run.id}_0"


@pytest.mark.parametrize("curves", [[[], []], [[NAN], []]])
def test_sweep_without_a_value_has_no_best_run(reader: Any, curves: Any) -> None:
    run = reader(make_ended_sweep(*curves))

    assert run.get_best_run_by_primary_metric() is None
    assert run.get_children_sorted_by_primary_metric(discard_no_metric=True) == []
    assert len(run.get_children_sorted_by_primary_metric()) == 2


def test_of_equal_runs_the_first_is_best_and_stands_first(reader: Any) -> None:
    run = reader(make_ended_sweep([0.2], [0.7], [0.7]))

    assert run.get_best_run_by_primary_metric().id == f"{run.id}_1"
    assert numbers(run.get_children_sorted_by_primary_metric()) == [1, 2, 0]


def test_metrics_are_those_of_the_runs(reader: Any) -> None:
    run = reader(ended())

    metrics = run.get_metrics()

    assert list(metrics) == list(run.get_hyperparameters()) == [f"{run.id}_{n}" for n in range(6)]
    assert metrics[f"{run.id}_0"] == {"accuracy": [0.1, 0.9, 0.2]}
    assert metrics[f"{run.id}_1"] == {}
    # A name that was reported once is a value, not a list.
    assert metrics[f"{run.id}_3"] == {"accuracy": 0.0}


def test_details_of_a_run_have_its_arguments_in_both_spellings(reader: Any) -> None:
    run = next(reader(ended()).get_children())

    details = run.get_details()

    assert details["runId"] == run.id
    assert {"status", "target", "startTimeUtc", "endTimeUtc", "runDefinition"} <= set(details)
    definition = details["runDefinition"]
    assert definition["arguments"] == definition["Arguments"]
    assert all(isinstance(word, str) for word in definition["arguments"])


def test_details_of_what_still_runs_have_no_end(reader: Any) -> None:
    details = reader(make_sweep()).get_details()

    assert "startTimeUtc" in details
    assert "endTimeUtc" not in details


def test_definition_is_made_again_without_a_source_directory(reader: Any) -> None:
    config = reader(ended(early_termination={"type": "median_stopping"})).hyperdrive_config

    assert config.source_directory is None
    assert config.primary_metric_config == {"name": "accuracy", "goal": "maximize"}
    assert config.policy.to_json()["name"] == "MedianStopping"
    assert list(config.hyperparameter_sampling.parameter_space) == ["lr", "layers"]


def test_sweep_is_found_by_text_only() -> None:
    with pytest.raises(UserErrorException, match="id of a run"):
        HyperDriveRun(None, 7)  # type: ignore[arg-type]
