"""The replay of the form's policy: which curves it takes, what it says, who may see what."""

import pytest
from django.test import Client
from django.urls import reverse

from experiments.models import Membership, Sweep
from experiments.queries import replay_source
from tests.factories import make_running_run, make_sweep, make_user, make_workspace, report

pytestmark = pytest.mark.django_db
CURVES = (
    [0.1, 0.2, 0.5, 0.9],
    [0.5, 0.5, 0.5, 0.5],
    [0.4, 0.1, 0.1, 0.1],
)
BANDIT = {"policy": "bandit", "policy-bandit-slack_amount": "0.2"}


@pytest.fixture
def alice(client):
    alice = make_user("alice")
    make_workspace(alice)
    client.force_login(alice)
    return alice


def sweep_with(curves=CURVES, **spec) -> Sweep:
    sweep = make_sweep(max_total_runs=max(4, len(curves)), max_concurrent_runs=20, **spec)
    runs = [make_running_run(sweep, lr=number / 10, layers=1) for number in range(len(curves))]
    # Report by report, as runs side by side make them.
    for interval in range(max(map(len, curves))):
        for run, values in zip(runs, curves, strict=True):
            report(run, values[interval : interval + 1])
    return sweep


def ask(client, **texts):
    posted = {"experiment": "digits", "metric": "accuracy", "goal": "maximize", **texts}
    response = client.post(reverse("policy_replay"), posted)
    assert response.status_code == 200
    return response.json()


def words(reply) -> list[str]:
    return [word["text"] for word in reply["words"]]


def test_newest_sweep_of_the_experiment_is_replayed(client, alice):
    sweep_with()
    own = sweep_with(name="the newest here")
    other = sweep_with(name="elsewhere", experiment="other")
    sweep_with(name="another metric", primary_metric={"name": "f1", "goal": "maximize"})

    reply = ask(client)

    assert (reply["source"], reply["label"]) == (own.public_id, "the newest here")
    assert reply["is_default"]
    offered = [option["value"] for option in reply["options"]]
    assert offered[0] == own.public_id
    assert (len(offered), offered[-1]) == (4, "sample")
    assert ask(client, replay_from=other.public_id)["label"] == "elsewhere"
    assert words(reply) == ["All 3 runs go on to their end."]


def test_reply_says_who_stops_what_is_saved_and_that_the_best_is_lost(client, alice):
    sweep_with()

    reply = ask(client, **BANDIT)

    assert {run["number"]: run["stop"] for run in reply["runs"]} == {0: 2, 1: None, 2: None}
    assert words(reply)[:2] == ["1 of 3 runs stopped", "17 % of the reports saved"]
    assert words(reply)[-1] == "best run lost: 0.5000 instead of 0.9000"
    assert reply["best"] == 0
    assert reply["runs"][0]["kept"] == [[1, 0.1], [2, 0.2]]
    assert reply["runs"][0]["cut"] == [[2, 0.2], [3, 0.5], [4, 0.9]]
    assert reply["limits"][0] == [1, 0.3]
    suggestion = reply["suggestion"]
    assert (suggestion["field"], suggestion["value"]) == ("policy-bandit-delay_evaluation", "3")

    later = ask(client, **BANDIT, **{suggestion["field"]: suggestion["value"]})

    assert words(later)[-1] == "best run kept"
    assert later["suggestion"] is None
    assert later["spared"] == 2


def test_policy_that_is_wrong_shows_the_curves_and_says_so(client, alice):
    sweep_with()

    reply = ask(client, policy="bandit")

    assert reply["problem"] == "The picture follows once the settings are right."
    assert all(run["stop"] is None for run in reply["runs"])


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_without_curves_the_samples_are_called_samples(client, alice, goal):
    make_sweep()

    reply = ask(client, goal=goal, policy="median_stopping")

    assert (reply["source"], reply["is_sample"]) == ("sample", True)
    assert reply["notes"][0].startswith("Made-up curves, no results")
    assert any(run["stop"] for run in reply["runs"])


def test_large_sweeps_are_cut_to_a_part_that_is_named(client, alice, monkeypatch):
    monkeypatch.setattr(replay_source, "MOST_CURVES", 3)
    sweep_with([[n / 10, n / 10] for n in (1, 2, 9, 3, 4)])
    Sweep.objects.get().refresh_from_db()

    reply = ask(client)

    assert [run["number"] for run in reply["runs"]] == [0, 2, 4]
    assert reply["notes"] == ["3 of 5 runs, evenly chosen, with the best."]


def test_sweeps_of_other_workspaces_are_neither_offered_nor_read(client, alice):
    bob = make_user("bob")
    hidden = sweep_with(owner=bob, workspace=make_workspace(bob, name="Others"))

    reply = ask(client, replay_from=hidden.public_id)

    assert reply["source"] == "sample"
    assert hidden.public_id not in [option["value"] for option in reply["options"]]


def test_readers_and_strangers_get_nothing():
    dora = make_user("dora")
    make_workspace(dora, role=Membership.Role.READER)
    reader, stranger = Client(), Client()
    reader.force_login(dora)

    assert reader.post(reverse("policy_replay"), {}).status_code == 403
    assert stranger.post(reverse("policy_replay"), {}).status_code == 302
