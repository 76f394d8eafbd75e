"""REST: workspaces, members, invitations, and which workspace something new goes to."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from experiments import queries
from experiments.models import Invitation, Sweep
from experiments.services.access import make_api_token
from experiments.services.invitations import use_invitation
from studio.cli import studio as command_line
from studio.sdk import UserErrorException
from studio.sdk import Workspace as Sdk
from tests.factories import SPEC, make_compute, make_user, make_workspace
from tests.web.api_world import assert_problem, call, make_world, submittable

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def ask(world, method, path, body=None, *, who="alice_admin", status=200):
    """The JSON of an answer with this status."""
    response = call(method, path, token=world.tokens[who], body=body)
    assert response.status_code == status, response.content
    return json.loads(response.content) if response.content else None


def test_workspaces_are_listed_made_renamed_chosen_and_deleted(world):
    assert [w["slug"] for w in ask(world, "GET", "/workspaces")["items"]] == ["team"]
    made = ask(world, "POST", "/workspaces", {"name": "Vision team"}, status=201)
    assert made.items() >= {"slug": "vision-team", "role": "Owner", "current": False}.items()
    changed = ask(world, "PATCH", "/workspaces/vision-team", {"name": "Vision", "current": True})

    assert (changed["name"], changed["current"], changed["members"]) == ("Vision", True, 1)
    assert queries.current_workspace(world.alice).slug == "vision-team"
    page = ask(world, "GET", "/workspaces?limit=1")
    rest = ask(world, "GET", f"/workspaces?limit=1&cursor={page['next_cursor']}")
    assert [w["slug"] for w in page["items"] + rest["items"]] == ["team", "vision-team"]
    taken = call(
        "POST", "/workspaces", token=world.tokens["alice_write"], body={"name": "x", "slug": "team"}
    )
    assert assert_problem(taken, 422)[0]["path"] == "slug"
    ask(world, "DELETE", "/workspaces/vision-team", status=204)
    full = call("DELETE", "/workspaces/team", token=world.tokens["alice_admin"])
    assert "is not empty: 1 sweep" in assert_problem(full, 409)[0]["message"]


def test_members_are_added_changed_and_removed(world):
    members = "/workspaces/team/members"
    carol = make_user("carol")
    token = make_api_token(carol, name="t", scope="read")[1]

    added = ask(world, "POST", members, {"user": "carol", "role": "Reader"}, status=201)
    assert added.items() >= {"user": "carol", "role": "Reader", "seen": None}.items()
    assert call("GET", f"/sweeps/{world.sweep.public_id}", token=token).status_code == 200
    assert ask(world, "PATCH", f"{members}/carol", {"role": "Owner"})["role"] == "Owner"
    listed = ask(world, "GET", members)["items"]
    assert [m["user"] for m in listed] == ["alice", "carol", "bob"]
    ask(world, "DELETE", f"{members}/carol", status=204)

    assert call("GET", f"/sweeps/{world.sweep.public_id}", token=token).status_code == 404
    only = call(
        "PATCH", f"{members}/alice", token=world.tokens["alice_admin"], body={"role": "Reader"}
    )
    assert "only Owner" in assert_problem(only, 409)[0]["message"]
    ask(world, "DELETE", f"{members}/carol", status=404)
    ask(world, "POST", "/workspaces/team/leave", who="bob_write", status=204)
    ask(world, "GET", "/workspaces/team", who="bob_read", status=404)


def test_an_invitation_has_its_link_in_one_answer_alone(world):
    path = "/workspaces/team/invitations"

    made = ask(world, "POST", path, {"role": "Reader", "max_uses": 2}, status=201)
    (listed,) = ask(world, "GET", path)["items"]

    assert listed == {key: value for key, value in made.items() if key != "url"}
    plain = made["url"].rstrip("/").rpartition("/")[2]
    assert use_invitation(make_user("carol"), plain).role == "Reader"
    ask(world, "DELETE", f"{path}/{made['id']}", status=204)
    assert ask(world, "GET", path)["items"][0]["state"] == "revoked"
    assert Invitation.objects.get().uses == 1


def test_managing_needs_the_scope_admin_and_the_role_owner(world):
    for path, body in (("members", {"user": "charlie"}), ("invitations", {})):
        for who, status in (("alice_write", 403), ("bob_admin", 403), ("charlie_admin", 404)):
            ask(world, "POST", f"/workspaces/team/{path}", body, who=who, status=status)
    ask(world, "GET", "/workspaces/team/invitations", who="bob_admin", status=403)
    world.alice.email = "alice@example.org"
    world.alice.save()
    seen = [
        ask(world, "GET", "/workspaces/team/members", who=who)["items"][0]["email"]
        for who in ("alice_read", "bob_read")
    ]
    assert seen == ["alice@example.org", ""]
    ask(world, "GET", "/workspaces/team/members", who="charlie_read", status=404)
    ask(world, "PATCH", "/workspaces/team", {"name": "x"}, who="bob_admin", status=403)
    ask(world, "PATCH", "/workspaces/team", {"name": "x"}, who="charlie_admin", status=404)
    ask(world, "DELETE", "/workspaces/team", who="alice_write", status=403)


def test_a_sweep_goes_where_it_says_else_where_one_works(world):
    second = make_workspace(world.alice, name="Second")
    make_workspace(world.bob, name="Third")
    body = submittable()

    there = ask(world, "POST", "/sweeps?workspace=second", body, who="alice_write", status=201)
    here = ask(world, "POST", "/sweeps", body, who="alice_write", status=201)

    found = {
        sweep.public_id: sweep.experiment.workspace.slug
        for sweep in Sweep.objects.select_related("experiment__workspace")
    }
    assert (found[there["id"]], found[here["id"]]) == ("second", "team")
    assert second.experiments.count() == 1
    for path in ("/sweeps", "/sweeps/check", "/check-runs"):
        ask(world, "POST", f"{path}?workspace=third", body, who="alice_write", status=404)
        ask(world, "POST", f"{path}?workspace=team", body, who="bob_write", status=403)
        ask(world, "POST", f"{path}?workspace=nowhere", body, who="bob_write", status=404)


@pytest.mark.django_db(transaction=True)
def test_programs_and_the_command_line_name_a_workspace(live_server, tmp_path, monkeypatch):
    alice = make_user("alice")
    make_workspace(alice)
    make_workspace(alice, name="Second")
    make_compute()
    token = make_api_token(alice, name="t", scope="write")[1]
    monkeypatch.setenv("STUDIO_URL", live_server.url)
    monkeypatch.setenv("STUDIO_TOKEN", token)
    (tmp_path / "train.py").write_text("print()")
    spec = {key: value for key, value in SPEC.items() if key != "source_directory"}
    (tmp_path / "sweep.yaml").write_text(json.dumps(spec))
    command = ["submit", str(tmp_path / "sweep.yaml"), "--json", "--workspace"]

    ran = CliRunner().invoke(command_line, [*command, "second"])
    lost = CliRunner().invoke(command_line, [*command, "nowhere"])

    assert ran.exit_code == 0, ran.output
    assert Sweep.objects.get().experiment.workspace.slug == "second"
    assert lost.exit_code != 0
    assert "No workspace of yours has the short name 'nowhere'" in f"{lost.output}{lost.exception}"
    assert (Sdk.get("Second").slug, Sdk.from_config(workspace="team").slug) == ("second", "team")
    with pytest.raises(UserErrorException, match=r"no workspace called 'Third'; there are: "):
        Sdk.get("Third")
