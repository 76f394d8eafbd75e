"""Who sees what: Alice owns, Bob is in the workspace, Charlie is outside."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from experiments import queries
from experiments.models import Run, Sweep
from experiments.permissions import Action
from experiments.services.compute import register_worker
from tests.factories import (
    make_compute,
    make_run,
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """Alice owns, Bob is in the workspace, Charlie is outside; Root sees everything."""
    alice, bob, charlie = make_user("alice"), make_user("bob"), make_user("charlie")
    make_workspace(alice)
    make_workspace(bob, role="Reader")
    make_workspace(charlie, name="Elsewhere")
    return {
        "alice": alice,
        "bob": bob,
        "charlie": charlie,
        "root": make_user("root", is_superuser=True),
        "nobody": AnonymousUser(),
    }


def test_sweeps_and_runs_are_seen_by_members_and_administrators_only(people):
    sweep = make_sweep(owner=people["alice"])
    run = make_run(sweep)

    sees = {name: list(queries.sweeps_for(user)) for name, user in people.items()}
    runs = {name: list(queries.runs_for(user)) for name, user in people.items()}

    assert sees == {
        "alice": [sweep],
        "bob": [sweep],
        "root": [sweep],
        "charlie": [],
        "nobody": [],
    }
    assert runs == {"alice": [run], "bob": [run], "root": [run], "charlie": [], "nobody": []}
    assert queries.get_sweep(people["bob"], sweep.public_id) == sweep
    assert queries.get_run(people["bob"], run.public_id) == run
    with pytest.raises(Sweep.DoesNotExist):
        queries.get_sweep(people["charlie"], sweep.public_id)
    with pytest.raises(Run.DoesNotExist):
        queries.get_run(people["charlie"], run.public_id)


def test_lists_show_only_what_is_theirs(people):
    make_sweep(owner=people["alice"])

    lists = {name: queries.sweep_list(user).total for name, user in people.items()}
    counts = {name: queries.state_counts(user)["all"] for name, user in people.items()}

    assert lists == counts == {"alice": 1, "bob": 1, "root": 1, "charlie": 0, "nobody": 0}


def test_only_contributors_and_owners_may_write(people):
    workspace = make_workspace()

    may = {name: queries.may(user, workspace, Action.SUBMIT) for name, user in people.items()}

    assert may == {"alice": True, "bob": False, "root": True, "charlie": False, "nobody": False}
    assert not queries.may(people["root"], None, Action.VIEW)


def test_a_disabled_person_sees_nothing(people):
    sweep = make_sweep(owner=people["alice"])
    for name in ("alice", "root"):
        people[name].is_active = False
        assert sweep not in queries.sweeps_for(people[name])
        assert not queries.may(people[name], sweep.experiment.workspace, Action.VIEW)


def test_compute_targets_of_other_workspaces_are_not_seen(people):
    make_compute("shared")
    own = make_compute("own")
    own.workspace = make_workspace()
    own.save()

    names = {
        name: sorted(target.name for target in queries.compute_for(user))
        for name, user in people.items()
    }

    assert names["alice"] == names["root"] == ["own", "shared"]
    assert names["charlie"] == ["shared"]


def test_the_compute_page_counts_runs_of_others_and_does_not_name_them(people):
    run = make_running_run(make_sweep(owner=people["alice"]))
    register_worker(run.sweep.compute, name="worker-1", host="h", pid=1, process_started=1.0)
    make_run(run.sweep)

    (alices,), (charlies,) = (queries.compute_json(people[n]) for n in ("alice", "charlie"))

    assert (alices["slots"], alices["busy"], alices["queued"]) == (1, 1, 1)
    assert alices["workers"][0]["run"] == run.public_id
    assert (charlies["busy"], charlies["workers"][0]["run"]) == (1, None)
