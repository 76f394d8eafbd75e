"""The administration edits members freely, but a workspace with an Owner keeps one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from experiments.models import AuditEntry, Membership, Workspace
from experiments.permissions import Role
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db
LAST = "keeps at least one Owner whose account works"


@pytest.fixture
def team() -> Workspace:
    workspace = make_workspace(make_user("alice"))
    make_workspace(make_user("bob"), role=Role.READER)
    return workspace


@pytest.fixture
def site() -> Client:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    return client


def _roles(team: Workspace) -> dict[str, str]:
    return dict(team.memberships.values_list("user__username", "role"))


def _rows(team: Workspace) -> dict[str, Membership]:
    return {row.user.username: row for row in team.memberships.select_related("user")}


def _save(site: Client, team: Workspace, gone: str = "", **roles: str) -> str:
    """Store the page of the workspace with these roles, without the member `gone`."""
    data: dict[str, Any] = {"name": team.name, "slug": team.slug}
    for prefix, initial in (("memberships", 2), ("quota", 0)):
        data |= {f"{prefix}-TOTAL_FORMS": initial, f"{prefix}-INITIAL_FORMS": initial}
    for place, member in enumerate(team.memberships.order_by("pk")):
        name = f"memberships-{place}"
        role = roles.get(member.user.username, member.role)
        data |= {f"{name}-id": member.pk, f"{name}-workspace": team.pk}
        data |= {f"{name}-user": member.user_id, f"{name}-role": role}
        if member.user.username == gone:
            data[f"{name}-DELETE"] = "on"
    answer: Any = site.post(
        reverse("admin:experiments_workspace_change", args=[team.pk]), data, follow=True
    )
    return str(answer.content.decode())


def test_page_of_a_workspace_keeps_an_owner(site: Client, team: Workspace) -> None:
    assert LAST in _save(site, team, alice=Role.READER)
    assert LAST in _save(site, team, gone="alice")
    User.objects.filter(username="bob").update(is_active=False)
    assert LAST in _save(site, team, alice=Role.READER, bob=Role.OWNER)
    assert _roles(team) == {"alice": Role.OWNER, "bob": Role.READER}

    User.objects.filter(username="bob").update(is_active=True)
    assert LAST not in _save(site, team, gone="alice", bob=Role.OWNER)
    assert _roles(team) == {"bob": Role.OWNER}
    acts = AuditEntry.objects.filter(workspace=team).values_list("act", "about")
    assert {("member.removed", "alice"), ("member.role_changed", "bob")} <= set(acts)


def test_list_and_page_of_members_keep_an_owner(site: Client, team: Workspace) -> None:
    rows = _rows(team)
    address = reverse("admin:experiments_membership_changelist")
    data: dict[str, Any] = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    # In the order of the list: the newest first.
    for place, name in enumerate(("bob", "alice")):
        data |= {f"form-{place}-id": rows[name].pk, f"form-{place}-role": Role.READER}
    page = reverse("admin:experiments_membership_change", args=[rows["alice"].pk])
    fields = {"user": rows["alice"].user_id, "workspace": team.pk, "role": Role.CONTRIBUTOR}
    removal = reverse("admin:experiments_membership_delete", args=[rows["alice"].pk])
    chosen = {"action": "delete_selected", "_selected_action": rows["alice"].pk, "post": "yes"}

    for path, sent in (
        (address, data), (page, fields), (removal, {"post": "yes"}), (address, chosen),
    ):  # fmt: skip
        answer = site.post(path, sent, follow=True).content.decode()
        assert LAST in answer, path
    assert _roles(team) == {"alice": Role.OWNER, "bob": Role.READER}

    site.post(address, data | {"form-0-role": Role.OWNER})
    site.post(removal, {"post": "yes"})
    assert _roles(team) == {"bob": Role.OWNER}
