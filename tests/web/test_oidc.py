"""Whom single sign-on lets in: linked by a proven address, made by the policy, or refused."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from experiments.models import AuditEntry, Identity, SignUp
from experiments.oidc_settings import OidcSettingsError, read_oidc_settings
from experiments.services.invitations import InvitationTerms, create_invitation
from experiments.services.refused import Refused
from experiments.services.sign_up import is_email_proven
from experiments.services.single_sign_on import arrive, read_claims
from experiments.services.site import change_site
from tests.factories import make_user, make_workspace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("attempts_in_memory")]
VARIABLES = {
    "STUDIO_OIDC_ISSUER": "https://id.example",
    "STUDIO_OIDC_CLIENT_ID": "studio",
    "STUDIO_OIDC_CLIENT_SECRET": "of-the-client",
}
ADA = {"sub": "1", "email": "ada@example.org", "email_verified": True, "name": "Ada Lovelace"}


def provider_of(**variables):
    known = VARIABLES | variables
    provider = read_oidc_settings(
        lambda name: known.get(name, ""), lambda name: known.get(name) == "1"
    )
    assert provider is not None
    return provider


def come(data, *, invitation=None, **variables):
    provider = provider_of(**variables)
    return arrive(read_claims(data, provider), provider, invitation=invitation)


def account(email="Ada@example.org", **more):
    user = make_user("countess")
    User.objects.filter(pk=user.pk).update(email=email, **more)
    user.refresh_from_db()
    return user


def test_account_with_the_verified_address_is_linked_once():
    countess = account()

    assert come(ADA) == countess
    assert come(ADA | {"email": "other@example.org", "email_verified": False}) == countess
    assert Identity.objects.get().user == countess
    assert AuditEntry.objects.filter(act="account.linked", by=countess).count() == 1


def test_account_whose_address_nobody_confirmed_is_not_handed_over():
    squatter = account("ada@example.org")
    SignUp.objects.create(user=squatter, way="open", unproven_email="ada@example.org")

    with pytest.raises(Refused, match="nobody has confirmed"):
        come(ADA)
    assert not Identity.objects.exists()


def test_unverified_or_shared_address_links_nothing():
    account()
    for said in (False, "no", 1, None, "false"):
        with pytest.raises(Refused, match="has not verified"):
            come(ADA | {"email_verified": said})
    other = make_user("twin")
    User.objects.filter(pk=other.pk).update(email="ada@example.org")
    with pytest.raises(Refused, match="Several accounts"):
        come(ADA)


def test_provider_that_says_nothing_of_addresses_may_be_trusted_with_them():
    countess = account()
    silent = {name: value for name, value in ADA.items() if name != "email_verified"}

    with pytest.raises(Refused):
        come(silent)
    assert come(silent, STUDIO_OIDC_TRUST_EMAIL="1") == countess
    with pytest.raises(Refused):
        come(silent | {"sub": "2", "email_verified": False}, STUDIO_OIDC_TRUST_EMAIL="1")


def test_policy_of_the_site_decides_about_new_accounts():
    owner = make_user("owner")
    invitation, _ = create_invitation(make_workspace(owner), InvitationTerms(), user=owner)
    change_site(by=None, sign_up="invited")
    with pytest.raises(Refused, match="needs an invitation"):
        come(ADA)
    change_site(by=None, sign_up="domains", sign_up_domains="example.net")
    with pytest.raises(Refused, match=r"example\.net"):
        come(ADA)
    change_site(by=None, sign_up="closed")
    with pytest.raises(Refused, match="administrator makes"):
        come(ADA, invitation=invitation)
    change_site(by=None, sign_up="invited")

    ada = come(ADA, invitation=invitation)
    assert (ada.username, ada.get_full_name()) == ("ada", "Ada Lovelace")
    assert (ada.has_usable_password(), is_email_proven(ada)) == (False, True)
    assert (ada.is_superuser, ada.signed_up.way) == (False, "invited")


def test_closed_account_stays_closed():
    account(is_active=False)

    with pytest.raises(Refused, match="closed"):
        come(ADA)
    assert not Identity.objects.exists()


def test_group_makes_administrators_and_never_takes_the_last_one_away():
    countess = account()
    group = {"STUDIO_OIDC_ADMIN_GROUP": "root", "STUDIO_OIDC_GROUP_CLAIM": "roles"}

    assert not come(ADA | {"groups": ["root"]}, **group).is_superuser
    assert come(ADA | {"roles": ["root"]}, **group).is_superuser
    assert come(ADA | {"roles": []}, **group).is_superuser
    make_user("boss", is_superuser=True)
    assert not come(ADA | {"roles": "other"}, **group).is_superuser
    countess.refresh_from_db()
    assert not countess.is_staff


@pytest.mark.parametrize("sub", [None, 7, "", "x" * 256, "a\0b", ["1"]])
def test_claims_that_name_nobody_are_refused(sub):
    with pytest.raises(Refused, match="does not say who"):
        come(ADA | {"sub": sub})


def test_variables_name_a_provider_whole_or_not_at_all():
    assert read_oidc_settings(lambda name: "", lambda name: False) is None
    with pytest.raises(OidcSettingsError, match="CLIENT_ID and STUDIO_OIDC_CLIENT_SECRET must"):
        provider_of(STUDIO_OIDC_CLIENT_ID="", STUDIO_OIDC_CLIENT_SECRET="")
    for issuer in ("http://id.example", "id.example", "https://id.example?x=1", "ftp://id"):
        with pytest.raises(OidcSettingsError, match="STUDIO_OIDC_ISSUER is"):
            provider_of(STUDIO_OIDC_ISSUER=issuer)
    assert "of-the-client" not in repr(provider_of(STUDIO_OIDC_ISSUER="http://127.0.0.1:8080"))
