"""Pages of workspaces: the list, members and what Owners do, invitations, the switcher."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from experiments import queries
from experiments.models import Invitation, Membership, Workspace
from experiments.services.invitations import InvitationTerms, create_invitation
from experiments.services.workspaces import choose_workspace
from tests.factories import make_compute, make_running_run, make_sweep, make_user, make_workspace

pytestmark = pytest.mark.django_db
TEAM = "/workspaces/team/"


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def team(alice):
    return make_workspace(alice)


@pytest.fixture
def owner(alice, team):
    return signed_in(alice)


def signed_in(user):
    """A browser of somebody."""
    client = Client()
    client.force_login(user)
    return client


def text_of(response, status=200):
    """The page as text."""
    assert response.status_code == status, response.content
    return response.content.decode()


def roles(team):
    """Who is what in a workspace."""
    return dict(team.memberships.values_list("user__username", "role"))


def test_the_list_names_ones_own_workspaces_and_says_where_one_works(owner, alice):
    make_sweep(owner=alice)
    make_workspace(alice, name="Beside", role="Reader")
    make_workspace(name="Strange")

    page = text_of(owner.get("/workspaces/"))

    assert "Strange" not in page
    assert page.count("You work here") == 1
    assert 'formaction="/workspaces/beside/work-here/"' in page
    assert "/sweeps/?workspace=team" in page
    assert "No workspace matches" in text_of(owner.get("/workspaces/?q=zebra"))


def test_a_new_workspace_is_where_its_maker_works(owner, alice):
    refused = text_of(owner.post("/workspaces/new/", {"name": "", "slug": "team"}), 422)
    made = owner.post("/workspaces/new/", {"name": "Vision <b>team</b>", "slug": "vision"})

    assert "The short name &#x27;team&#x27; is taken" in refused
    assert "use 1 to 80 characters" in refused
    assert made["Location"] == "/workspaces/vision/"
    assert queries.current_workspace(alice).slug == "vision"
    page = text_of(owner.get("/workspaces/vision/"))
    assert "Vision &lt;b&gt;team&lt;/b&gt;" in page
    assert "<b>team</b>" not in page


def test_the_switcher_changes_where_new_sweeps_go_and_stays_on_the_page(owner, alice):
    make_workspace(alice, name="Beside")
    assert 'aria-label="Workspace: Team"' in text_of(owner.get("/sweeps/"))

    back = owner.post("/workspaces/beside/work-here/", {"next": "/sweeps/?q=a"})
    away = owner.post("/workspaces/beside/work-here/", {"next": "https://evil.example/"})

    assert back["Location"] == "/sweeps/?q=a"
    assert away["Location"] == "/workspaces/beside/"
    # Another browser of the same person knows it too.
    assert 'aria-label="Workspace: Beside"' in text_of(signed_in(alice).get("/models/"))


def test_strangers_find_no_workspace_and_readers_change_none(owner, team):
    bob, charlie = make_user("bob"), make_user("charlie")
    make_workspace(bob, role="Reader")
    reader, stranger = signed_in(bob), signed_in(charlie)
    posts = ("rename/", "delete/", "members/add/", f"members/{bob.pk}/role/", "invitations/")

    page = text_of(reader.get(TEAM))

    assert stranger.get(TEAM).status_code == 404
    assert stranger.post(f"{TEAM}work-here/").status_code == 404
    for path in posts:
        assert stranger.post(TEAM + path).status_code == 404, path
        assert reader.post(TEAM + path, {"role": "Owner"}).status_code == 403, path
    assert "Leave the workspace" in page
    assert "Add somebody" not in page
    assert roles(team) == {"alice": "Owner", "bob": "Reader"}


def test_owners_add_change_and_remove_members(owner, team, alice):
    bob = make_user("bob")
    User.objects.filter(pk=bob.pk).update(email="bob@example.org")

    unknown = text_of(owner.post(f"{TEAM}members/add/", {"user": "nobody", "role": "Reader"}), 422)
    owner.post(f"{TEAM}members/add/", {"user": "bob@example.org", "role": "Reader"})
    assert "come in by an invitation" in unknown
    assert roles(team)["bob"] == "Reader"

    owner.post(f"{TEAM}members/{bob.pk}/role/", {"role": "Contributor"})
    assert roles(team)["bob"] == "Contributor"
    assert "bob@example.org" in text_of(owner.get(TEAM))
    assert "bob@example.org" not in text_of(signed_in(bob).get(TEAM))

    alone = owner.post(f"{TEAM}leave/", follow=True)
    assert "is the only Owner" in text_of(alone)
    owner.post(f"{TEAM}members/{bob.pk}/transfer/")
    assert roles(team) == {"alice": "Contributor", "bob": "Owner"}
    assert owner.post(f"{TEAM}members/{bob.pk}/remove/").status_code == 403
    signed_in(bob).post(f"{TEAM}members/{alice.pk}/remove/")
    assert owner.get(TEAM).status_code == 404


def test_only_an_empty_workspace_offers_to_be_deleted(owner, alice, team):
    make_sweep(owner=alice)

    full = text_of(owner.get(TEAM))
    refused = text_of(owner.post(f"{TEAM}delete/", follow=True))
    team.experiments.all().delete()
    empty = text_of(owner.get(TEAM))
    owner.post(f"{TEAM}delete/")

    assert "This one holds 1 sweep" in full
    assert "is not empty: 1 sweep" in refused
    assert "Delete the workspace…" in empty
    assert not Workspace.objects.filter(slug="team").exists()


def test_many_members_are_paged(owner, team, django_assert_max_num_queries):
    text_of(owner.get(TEAM))
    people = User.objects.bulk_create(User(username=f"person-{n:03}") for n in range(120))
    Membership.objects.bulk_create(
        Membership(workspace=team, user=one, role="Reader") for one in people
    )

    with django_assert_max_num_queries(24):
        first = text_of(owner.get(TEAM))

    assert first.count('class="c-role"') == 50
    assert text_of(owner.get(f"{TEAM}?from=100")).count('class="c-role"') == 21
    assert text_of(owner.get(f"{TEAM}?q=person-07")).count('class="c-role"') == 10


def test_an_invitation_is_shown_once_and_revoked(owner, team):
    page = text_of(
        owner.post(
            f"{TEAM}invitations/",
            {"role": "Reader", "email": "ada@example.org", "days": "7", "max_uses": "1"},
        )
    )
    link = re.search(r'value="http://testserver(/invitations/[^"]+)"', page)
    again = text_of(owner.get(f"{TEAM}invitations/"))
    wrong = text_of(owner.post(f"{TEAM}invitations/", {"role": "X", "max_uses": "a"}), 422)

    assert link is not None
    assert link[1] not in again
    assert "ada@example.org" in again
    assert "use one of Reader, Contributor, Owner" in wrong
    assert "lets 1 to 100 people in" in wrong
    owner.post(f"{TEAM}invitations/{Invitation.objects.get().pk}/revoke/")
    gone = text_of(Client().get(link[1]), 410)
    assert "was revoked" in gone
    assert mail.outbox == []  # there is no mail server


def test_somebody_signs_in_first_and_then_joins(team, alice):
    plain = create_invitation(team, InvitationTerms(role="Reader"), user=alice)[1]
    address = f"/invitations/{plain}/"
    bob, visitor = make_user("bob"), Client()

    page = text_of(visitor.get(address))
    assert "alice invites you to" in page
    assert f"/sign-in/?next=%2Finvitations%2F{plain}%2F" in page
    text_of(visitor.post(address))
    assert "bob" not in roles(team)

    browser = signed_in(bob)
    assert "Join the workspace" in text_of(browser.get(address))
    joined = browser.post(address, follow=True)
    assert "Welcome to “Team”. You are Reader here." in text_of(joined)
    assert queries.current_workspace(bob) == team
    assert browser.get(address)["Location"] == TEAM
    assert text_of(signed_in(make_user("carol")).get(address), 410)


def test_one_for_an_address_tells_others_whom_it_is_for(team, alice):
    terms = InvitationTerms(email="ada@example.org")
    address = f"/invitations/{create_invitation(team, terms, user=alice)[1]}/"
    bob = signed_in(make_user("bob"))

    assert "is for ada@example.org" in text_of(bob.get(address))
    assert "is for ada@example.org" in text_of(bob.post(address), 403)
    assert text_of(bob.get("/invitations/nonsense/"), 404)
    assert roles(team) == {"alice": "Owner"}


def test_the_form_goes_where_one_works_or_where_it_says(owner, alice, team):
    second = make_workspace(alice, name="Second")
    make_workspace(alice, name="Third", role="Reader")
    make_workspace(name="Strange")
    sweep = make_sweep(owner=alice, workspace=second)

    chosen = '<option value="{}" selected>'
    assert chosen.format("team") in text_of(owner.get("/sweeps/new/"))
    assert chosen.format("second") in text_of(owner.get("/sweeps/new/?workspace=second"))
    # What goes on from a sweep belongs beside it.
    assert chosen.format("second") in text_of(owner.get(f"/sweeps/new/?from={sweep.public_id}"))
    assert 'value="third"' not in text_of(owner.get("/sweeps/new/"))
    assert owner.get("/sweeps/new/?workspace=third").status_code == 403
    assert owner.get("/sweeps/new/?workspace=strange").status_code == 404
    posted = {"name": "typed before", "workspace": "second", "action": "use_workspace"}
    again = text_of(owner.post("/sweeps/new/", posted))
    assert chosen.format("second") in again
    assert "typed before" in again


def test_drafts_follow_the_workspace_of_their_form(owner, alice, team):
    second = make_workspace(alice, name="Second")

    owner.post("/sweeps/new/drafts/save/", {"name": "here"})
    owner.post("/sweeps/new/drafts/save/", {"name": "there", "workspace": "second"})
    choose_workspace(alice, second)
    owner.post("/sweeps/new/drafts/save/", {"name": "there too"})

    kept = alice.sweep_drafts.order_by("pk")
    assert [draft.workspace for draft in kept] == [team, second, second]
    opened = text_of(owner.get(f"/sweeps/new/?draft={kept[0].public_id}"))
    assert '<option value="team" selected>' in opened
    assert 'value="here"' in opened


def test_lists_name_the_workspace_and_show_one_alone(owner, alice):
    other = make_workspace(alice, name="Beside", role="Reader")
    for workspace, name in ((make_workspace(), "of the team"), (other, "of the other")):
        make_running_run(make_sweep(owner=alice, workspace=workspace, name=name))

    both, one = (text_of(owner.get(f"/sweeps/{query}")) for query in ("", "?workspace=beside"))

    assert "Beside · " in both
    assert ("of the team" in both, "of the other" in both) == (True, True)
    assert ("of the team" in one, "of the other" in one) == (False, True)
    # A Reader of the other workspace may duplicate nothing there.
    assert (both.count("Duplicate"), one.count("Duplicate")) == (1, 0)
    assert "This workspace has no model" in text_of(owner.get("/models/?workspace=beside"))
    narrow = text_of(owner.get("/dashboard/?workspace=beside"))
    assert ("of the team" in narrow, "of the other" in narrow) == (False, True)
    assert 'aria-label="Workspace: Team"' in narrow
    assert owner.get("/dashboard/?workspace=strange").status_code == 404


def test_owners_drain_the_targets_of_their_workspace_alone(owner, team):
    own, shared, strange = (make_compute(name) for name in ("own", "shared", "strange"))
    for target, workspace in ((own, team), (strange, make_workspace(name="Strange"))):
        target.workspace = workspace
        target.save()

    answers = [
        owner.post(f"/compute/{target.name}/change/", {"action": "drain"}).status_code
        for target in (own, shared, strange)
    ]

    assert answers == [302, 403, 404]
    page = text_of(owner.get("/compute/"))
    assert page.count('value="undrain"') == 1
    assert "/compute/own/settings/" not in page
