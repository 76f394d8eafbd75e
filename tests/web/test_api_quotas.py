"""REST and the command line: what a workspace may use and uses; administrators set it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from experiments.models import AuditEntry, WorkspaceQuota
from experiments.services.access import make_api_token
from studio.cli import studio as command_line
from tests.factories import make_user, make_workspace
from tests.web.api_world import assert_problem, call

QUOTA = "/workspaces/team/quota"
NONE = {"max_running_runs": None, "max_runs_per_day": None, "max_storage_bytes": None}


def _limits(answer: Any) -> dict[str, Any]:
    return {name: answer[name]["limit"] for name in NONE} | {"priority": answer["priority"]}


@pytest.mark.django_db
def test_administrators_set_and_members_read_a_quota() -> None:
    make_workspace(make_user("alice"))
    root = make_user("root", is_superuser=True)
    admin = make_api_token(root, name="t", scope="admin")[1]
    reader = make_user("bob")
    make_workspace(reader, role="Reader")
    own = make_api_token(reader, name="t", scope="admin")[1]

    assert _limits(call("GET", QUOTA, token=own).json()) == NONE | {"priority": 10}
    wanted = {"max_running_runs": 4, "max_storage_bytes": 5_000_000_000, "priority": 20}
    done = call("PUT", QUOTA, token=admin, body=wanted)
    assert done.status_code == 200
    assert _limits(call("GET", QUOTA, token=own).json()) == NONE | wanted
    assert done.json()["max_running_runs"] == {"used": 0, "limit": 4}
    # Whole: what is left out is no limit any more.
    assert _limits(call("PUT", QUOTA, token=admin, body={}).json()) == NONE | {"priority": 10}
    assert AuditEntry.objects.filter(act="quota.changed", by_name="root").count() == 2

    assert call("PUT", QUOTA, token=own, body={}).status_code == 403
    wrong = call("PUT", QUOTA, token=admin, body={"max_running_runs": -1, "priority": 101})
    assert {e["path"] for e in assert_problem(wrong, 422)} == {"max_running_runs", "priority"}


@pytest.mark.django_db(transaction=True)
def test_command_line_shows_and_sets_a_quota(live_server, monkeypatch) -> None:
    root = make_user("root", is_superuser=True)
    make_workspace(root)
    monkeypatch.setenv("STUDIO_URL", live_server.url)
    monkeypatch.setenv("STUDIO_TOKEN", make_api_token(root, name="t", scope="admin")[1])

    def run(*words: str, code: int = 0) -> str:
        ran = CliRunner().invoke(command_line, ["quota", *words])
        assert ran.exit_code == code, ran.output
        return ran.output

    run("set", "team", "--running", "4", "--storage", "50GB", "--priority", "20")
    found = json.loads(run("set", "team", "--running", "none", "--daily", "9", "--json"))
    assert _limits(found) == {
        "max_running_runs": None,
        "max_runs_per_day": 9,
        "max_storage_bytes": 50_000_000_000,
        "priority": 20,
    }
    assert run() == "team\t0 of no limit\t0 of 9\t0 B of 50.0 GB\t20\n"
    assert json.loads(run("show", "team", "--json")) == found
    assert "'4GB' is no limit; write 4, or none" in run("set", "team", "--daily", "4GB", code=2)
    assert "Say what to set" in run("set", "team", code=2)
    assert WorkspaceQuota.objects.get().max_runs_per_day == 9
