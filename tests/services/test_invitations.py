"""Invitations: who gets in by a link, once, and who does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from experiments import clock, queries
from experiments.models import AuditEntry, Invitation, InvitationUse
from experiments.problems import ProblemsError
from experiments.services import members as member_service
from experiments.services.access import digest_of
from experiments.services.invitations import (
    InvitationTerms,
    create_invitation,
    open_invitation,
    revoke_invitation,
    use_invitation,
)
from experiments.services.refused import Refused
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def team(alice):
    return make_workspace(alice)


def person(name, email=""):
    """Somebody with an address."""
    user = make_user(name)
    user.email = email
    user.save()
    return user


def invite(team, alice, **terms):
    """The secret part of the link of a new invitation."""
    return create_invitation(team, InvitationTerms(**terms), user=alice)[1]


def test_a_link_lets_as_many_in_as_it_says_each_once(team, alice):
    plain = invite(team, alice, role="Reader", max_uses=2)
    bob, carol, dora = (make_user(name) for name in ("bob", "carol", "dora"))

    first = use_invitation(bob, plain)
    use_invitation(bob, plain)  # a second click changes nothing
    use_invitation(carol, plain)

    assert (first.role, queries.current_workspace(bob)) == ("Reader", team)
    assert Invitation.objects.get().uses == 2
    assert open_invitation(plain) is None
    with pytest.raises(Refused, match="has been used"):
        use_invitation(dora, plain)
    acts = AuditEntry.objects.filter(act="invitation.used").order_by("pk")
    assert [entry.by_name for entry in acts] == ["bob", "carol"]


def test_the_link_is_nowhere_in_the_database(team, alice):
    plain = invite(team, alice)

    stored = Invitation.objects.get()

    assert stored.digest == digest_of(plain)
    assert plain not in str(vars(stored)) + str(AuditEntry.objects.values())


def test_whoever_was_removed_does_not_come_back_by_the_same_link(team, alice):
    plain = invite(team, alice, max_uses=5)
    bob = make_user("bob")
    member_service.remove_member(use_invitation(bob, plain), by=alice)

    with pytest.raises(Refused, match="used this invitation before"):
        use_invitation(bob, plain)

    assert queries.role_in(bob, team.pk) is None
    assert Invitation.objects.get().uses == InvitationUse.objects.count() == 1


def test_one_for_an_address_is_of_no_use_to_somebody_else(team, alice):
    plain = invite(team, alice, email="ada@example.org")

    for other in (person("bob", "bob@example.org"), person("nobody")):
        with pytest.raises(Refused, match=r"is for ada@example\.org"):
            use_invitation(other, plain)
    member = use_invitation(person("ada", "Ada@Example.org"), plain)

    assert member.role == "Contributor"
    with pytest.raises(Refused, match="has been used"):
        use_invitation(person("ada2", "ada@example.org"), plain)


def test_dead_links_say_why(team, alice):
    revoked, expired = invite(team, alice), invite(team, alice)
    bob = make_user("bob")
    assert revoke_invitation(Invitation.objects.get(digest=digest_of(revoked)), user=alice)
    past = clock.now() - timedelta(seconds=1)
    Invitation.objects.filter(digest=digest_of(expired)).update(expires_at=past)

    for plain, word in ((revoked, "revoked"), (expired, "expired"), ("nonsense", "not exist")):
        with pytest.raises(Refused, match=word):
            use_invitation(bob, plain)
    assert not revoke_invitation(Invitation.objects.get(digest=digest_of(revoked)), user=alice)


def test_a_member_gets_more_by_a_link_and_never_less(team, alice):
    bob = make_user("bob")
    make_workspace(bob, role="Reader")
    owner, reader = invite(team, alice, role="Owner"), invite(team, alice, role="Reader")

    assert use_invitation(bob, owner).role == "Owner"
    assert use_invitation(bob, reader).role == "Owner"
    assert open_invitation(reader) is not None


def test_links_die_with_the_rights_of_who_made_them(team, alice):
    bob = make_user("bob")
    member = member_service.add_member(team, bob, "Owner", by=alice)
    plain = invite(team, bob, max_uses=10)

    member_service.change_role(member, "Contributor", by=alice)

    assert open_invitation(plain) is None


@pytest.mark.parametrize(
    ("terms", "path"),
    [
        ({"role": "King"}, "role"),
        ({"email": "no address"}, "email"),
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": 101}, "max_uses"),
        ({"max_uses": 2, "email": "ada@example.org"}, "max_uses"),
        ({"max_uses": 2, "role": "Owner"}, "max_uses"),
    ],
)
def test_terms_that_cannot_be_are_refused(team, alice, terms, path):
    with pytest.raises(ProblemsError) as error:
        invite(team, alice, **terms)

    assert [problem.path for problem in error.value.problems] == [path]
    assert not Invitation.objects.exists()
