"""Comparison and search over REST: numbers, refusals, nothing of other workspaces."""

import pytest

from tests.factories import make_run, make_sweep
from tests.web.api_world import assert_problem, call, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


@pytest.fixture
def other(world):
    workspace = world.sweep.experiment.workspace
    sweep = make_sweep(owner=world.alice, workspace=workspace, name="other", max_total_runs=9)
    make_run(sweep, lr=0.3, layers=1)
    return sweep


def compare(world, *ids, who="bob_read"):
    return call("GET", f"/compare?sweeps={','.join(ids)}", token=world.tokens[who])


def test_comparison_has_figures_leads_and_differences(world, other):
    answer = compare(world, world.sweep.public_id, other.public_id).json()

    first, second = answer["sweeps"]
    assert (answer["metric"], answer["goal"]) == ("accuracy", "maximize")
    assert (first["id"], first["runs"], first["is_best"]) == (world.sweep.public_id, 2, True)
    assert first["best_run"]["value"] == 0.75
    assert first["leads"]["values"] == [0.75]
    assert (second["best_run"], second["median"], second["leads"]["numbers"]) == (None, None, [])
    settings = {row["setting"]: row["values"] for row in answer["differences"]}
    assert settings["max_total_runs"] == ["4", "9"]


def test_comparison_refuses_what_does_not_fit(world, other):
    loss = make_sweep(
        owner=world.alice,
        workspace=world.sweep.experiment.workspace,
        primary_metric={"name": "loss", "goal": "minimize"},
    )
    wrong = {
        "name 2 to 8": [world.sweep.public_id],
        "sweeps names 0": [],
        "only sweeps of one primary metric": [world.sweep.public_id, loss.public_id],
        "9 sweeps are too many": [f"HD_{n}" for n in range(9)],
    }
    for told, ids in wrong.items():
        (entry,) = assert_problem(compare(world, *ids), 422)
        assert entry["path"] == "sweeps"
        assert told in entry["message"]


def test_comparison_is_not_there_for_strangers_and_runs(world, other):
    ids = [world.sweep.public_id, other.public_id]

    assert_problem(compare(world, *ids, who="charlie_admin"), 404)
    assert_problem(call("GET", f"/compare?sweeps={','.join(ids)}", token=world.run_token), 403)
    assert_problem(call("GET", f"/compare?sweeps={','.join(ids)}"), 401)


def test_search_gives_each_kind_with_its_context(world, other):
    answer = call("GET", "/search?q=lr<0.15&limit=1", token=world.tokens["bob_read"]).json()

    assert [one["matching_runs"] for one in answer["sweeps"]] == [1]
    (run,) = answer["runs"]
    assert (run["id"], run["where"]) == (world.run.public_id, "lr 0.1")
    assert (answer["models"], answer["more"]) == ([], [])


def test_search_that_cannot_be_read_is_a_problem(world):
    (entry,) = assert_problem(
        call("GET", "/search?q=status:broken", token=world.tokens["bob_read"]), 422
    )

    assert "'status:broken'" in entry["message"]
