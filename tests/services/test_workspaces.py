"""Workspaces: the table of roles, making and deleting, members, the personal one, the choice."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from experiments import queries
from experiments.models import AuditEntry, Membership, Sweep, Workspace, WorkspaceSeat
from experiments.permissions import ALLOWED, MEANINGS, Action, Role, actions_of, refusal
from experiments.problems import ProblemsError
from experiments.queries.workspaces import contents_of, listed_workspaces, members_of
from experiments.services import members as service
from experiments.services.invitations import InvitationTerms, create_invitation
from experiments.services.refused import Refused
from experiments.services.setup import ensure_defaults
from experiments.services.workspaces import (
    choose_workspace,
    create_workspace,
    delete_workspace,
    ensure_personal_workspace,
    rename_workspace,
)
from tests.factories import make_sweep, make_user, make_workspace

CONTRIBUTORS = {
    Action.SUBMIT,
    Action.CHANGE_ANY_SWEEP,
    Action.SHARE,
    Action.TRASH,
    Action.DELETE_FOR_GOOD,
    Action.REGISTER_MODELS,
    Action.DELETE_MODELS,
}
OWNERS = {
    Action.CHANGE_ANY_VIEW,
    Action.MANAGE_WEBHOOKS,
    Action.MANAGE_COMPUTE,
    Action.MANAGE_MEMBERS,
    Action.MANAGE_WORKSPACE,
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", [*Role, "Nobody", None])
def test_each_cell_of_the_table_of_roles(role, action):
    may = {
        Role.READER: {Action.VIEW},
        Role.CONTRIBUTOR: {Action.VIEW} | CONTRIBUTORS,
        Role.OWNER: {Action.VIEW} | CONTRIBUTORS | OWNERS,
    }

    assert (action in actions_of(role)) == (action in may.get(role, set()))


def test_every_action_has_a_role_and_words():
    assert set(MEANINGS) == set(Action) == set().union(*ALLOWED.values())
    assert refusal("Reader", "Team", Action.SUBMIT).endswith("role Contributor or Owner there.")
    assert "no member of the workspace 'Team'" in refusal(None, "Team", Action.VIEW)


@pytest.mark.django_db
def test_people_may_what_their_role_in_that_workspace_allows(django_assert_num_queries):
    alice, root = make_user("alice"), make_user("root", is_superuser=True)
    team, other = make_workspace(alice, role="Reader"), make_workspace(alice, name="Other")

    assert queries.allowed_in(alice, team.pk) == ALLOWED["Reader"]
    assert queries.allowed_in(alice, other.pk) == ALLOWED["Owner"]
    assert queries.allowed_in(root, team.pk) == set(Action)
    assert queries.allowed_in(AnonymousUser(), team.pk) == set()
    assert list(queries.workspaces_where(alice, Action.SUBMIT)) == [other]
    with django_assert_num_queries(1):
        assert queries.may(alice, other, Action.MANAGE_MEMBERS)
    alice.is_active = False
    assert queries.allowed_in(alice, other.pk) == set()


@pytest.mark.django_db
def test_a_workspace_is_made_with_its_owner_and_a_free_short_name():
    alice = make_user("alice")

    first = create_workspace("  Vision   team ", user=alice)
    second = create_workspace("Vision team", user=alice)
    third = create_workspace("日本", user=alice)

    assert (first.name, first.slug, second.slug) == ("Vision team", "vision-team", "vision-team-2")
    assert third.slug == "workspace"
    assert first.memberships.get().role == "Owner"
    entry = AuditEntry.objects.filter(act="workspace.created").order_by("pk").first()
    assert (entry.by_name, entry.about, entry.about_id) == ("alice", "Vision team", "vision-team")
    for fields, path in (
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "A", "slug": "vision-team"}, "slug"),
        ({"name": "A", "slug": "new"}, "slug"),
        ({"name": "A", "slug": "No Slug"}, "slug"),
    ):
        with pytest.raises(ProblemsError) as error:
            create_workspace(**fields, user=alice)
        assert [problem.path for problem in error.value.problems] == [path]


@pytest.mark.django_db
def test_only_an_empty_workspace_is_deleted():
    alice = make_user("alice")
    sweep = make_sweep(owner=alice)
    team = sweep.experiment.workspace
    create_invitation(team, InvitationTerms(), user=alice)

    with pytest.raises(Refused, match="1 sweep"):
        delete_workspace(team, user=alice)
    Sweep.objects.filter(pk=sweep.pk).update(
        state="Canceled",
        end_reason="canceled",
        ended_at=sweep.created_at,
        trashed_at=sweep.created_at,
    )
    assert contents_of(team) == ["1 sweep in the trash"]
    sweep.delete()
    delete_workspace(team, user=alice)

    assert not Workspace.objects.exists()
    assert AuditEntry.objects.get(act="workspace.deleted").workspace_name == "Team"


@pytest.mark.django_db
def test_a_new_name_leaves_the_short_one():
    alice = make_user("alice")
    team = make_workspace(alice)

    rename_workspace(team, "Research", user=alice)

    team.refresh_from_db()
    assert (team.name, team.slug) == ("Research", "team")
    assert AuditEntry.objects.get().details == {"from": "Team", "to": "Research"}


@pytest.mark.django_db
def test_people_work_where_they_chose_while_they_are_in():
    alice = make_user("alice")
    first, second = make_workspace(alice), make_workspace(alice, name="Second")
    strange = make_workspace(name="Strange")

    assert queries.current_workspace(alice) == first
    choose_workspace(alice, second)
    assert queries.current_workspace(alice) == second
    choose_workspace(alice, strange)
    assert queries.current_workspace(alice) == first
    choose_workspace(alice, second)
    service.leave_workspace(first, user=make_owner_of(first, alice))
    assert queries.current_workspace(alice) == second


def make_owner_of(workspace, other):
    """Somebody who may leave, because the other one is Owner as well."""
    bob = make_user("bob")
    make_workspace(bob, name=workspace.name)
    assert workspace.memberships.filter(user=other, role="Owner").exists()
    return bob


@pytest.mark.django_db
def test_an_administrator_works_in_a_workspace_of_theirs_before_the_oldest():
    root = make_user("root", is_superuser=True)
    oldest = make_workspace(name="Oldest")

    assert queries.current_workspace(root) == oldest
    own = make_workspace(root, name="Own")
    assert queries.current_workspace(root) == own


@pytest.mark.django_db
def test_the_first_sign_in_makes_a_personal_workspace_once():
    make_workspace(name="Bob")
    bob = make_user("bob")

    Client().force_login(bob)
    Client().force_login(bob)

    own = Workspace.objects.get(memberships__user=bob)
    assert (own.name, own.slug, own.personal_of.user) == ("bob’s workspace", "bob-2", bob)
    delete_workspace(own, user=bob)
    Client().force_login(bob)
    assert not Membership.objects.filter(user=bob).exists()


@pytest.mark.django_db
def test_whoever_owns_a_workspace_by_then_gets_no_other():
    admin = ensure_defaults().administrator
    reader = make_user("reader")
    make_workspace(reader, role="Reader")

    assert ensure_personal_workspace(admin) is None
    assert ensure_personal_workspace(reader).memberships.get().role == "Owner"
    assert WorkspaceSeat.objects.filter(settled_at__isnull=False).count() == 2


@pytest.mark.django_db
def test_a_workspace_keeps_an_owner_whose_account_works():
    alice, bob = make_user("alice"), make_user("bob")
    team = make_workspace(alice)
    own = team.memberships.get(user=alice)

    for act in (
        lambda: service.change_role(own, Role.READER, by=alice),
        lambda: service.remove_member(own, by=alice),
        lambda: service.leave_workspace(team, user=alice),
    ):
        with pytest.raises(Refused, match="only Owner"):
            act()
    other = service.add_member(team, bob, Role.OWNER, by=alice)
    bob.is_active = False
    bob.save()
    with pytest.raises(Refused, match="only Owner"):
        service.leave_workspace(team, user=alice)
    bob.is_active = True
    bob.save()
    service.leave_workspace(team, user=alice)
    with pytest.raises(Refused, match="only Owner"):
        service.change_role(other, Role.CONTRIBUTOR, by=bob)
    assert team.memberships.get().user == bob


@pytest.mark.django_db
def test_members_are_found_by_name_or_address_and_are_added_once():
    alice, bob = make_user("alice"), make_user("bob")
    make_user("carol")
    for name in ("bob", "carol"):
        type(bob).objects.filter(username=name).update(email=f"{name}@example.org")
    team = make_workspace(alice)

    service.add_member(team, service.find_person(" BOB@example.org "), Role.READER, by=alice)

    assert [(m.user.username, m.role) for m in members_of(team)] == [
        ("alice", "Owner"),
        ("bob", "Reader"),
    ]
    with pytest.raises(Refused, match="is a member of “Team” already, as Reader"):
        service.add_member(team, bob, Role.OWNER, by=alice)
    type(bob).objects.filter(username="carol").update(email="bob@example.org")
    for text in ("bob@example.org", "nobody", "", "a\0"):
        with pytest.raises(ProblemsError):
            service.find_person(text)
    assert AuditEntry.objects.get(act="member.added").about == "bob"


@pytest.mark.django_db
def test_handing_over_makes_the_other_owner_and_oneself_a_contributor():
    alice, bob = make_user("alice"), make_user("bob")
    team = make_workspace(alice)
    make_workspace(bob, role="Reader")
    theirs = team.memberships.get(user=bob)

    service.hand_over(theirs, by=alice)

    assert dict(team.memberships.values_list("user__username", "role")) == {
        "alice": "Contributor",
        "bob": "Owner",
    }
    with pytest.raises(Refused, match="own the workspace already"):
        service.hand_over(theirs, by=bob)


@pytest.mark.django_db
def test_lists_count_what_is_in_each_workspace(django_assert_num_queries):
    alice = make_user("alice")
    make_sweep(owner=alice)
    make_workspace(alice, make_user("bob"), name="Beside")
    make_workspace(name="Strange")

    with django_assert_num_queries(1):
        rows = list(listed_workspaces(alice))

    assert [(r.name, r.role, r.n_members, r.n_sweeps) for r in rows] == [
        ("Beside", "Owner", 2, 0),
        ("Team", "Owner", 1, 1),
    ]
    assert [row.name for row in listed_workspaces(alice, text="BES")] == ["Beside"]
    assert list(listed_workspaces(alice, text="\0")) == []
