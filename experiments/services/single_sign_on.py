"""Who comes in through the provider of single sign-on, once what it says of them is checked.

Knows claims, not protocols. An account is found by issuer and subject; the first time, by an
address that both sides have checked. Nobody gets an account that the policy of the site denies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from experiments import clock
from experiments.models import Identity, Invitation
from experiments.notify.mail_server import is_mail_address
from experiments.oidc_settings import OidcSettings
from experiments.services.account_mail import AccountMail, send_later
from experiments.services.audit import Act, record
from experiments.services.refused import Refused
from experiments.services.sign_up import (
    MAX_NAME,
    NewAccount,
    admission,
    is_email_proven,
    make_account,
)
from experiments.services.site import site
from experiments.services.text import clean_text

_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of somebody."""

    issuer: str
    subject: str
    email: str = ""
    is_email_verified: bool = False
    name: str = ""
    username: str = ""
    groups: frozenset[str] = field(default_factory=frozenset)


def read_claims(data: Mapping[str, Any], provider: OidcSettings) -> Claims:
    """Return checked claims as what is used of them.

    Raises:
        Refused: they name nobody.
    """
    subject = data.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST or "\0" in subject:
        raise Refused(f"{provider.name} does not say who you are.")
    email = data.get("email")
    email = email.strip() if isinstance(email, str) and is_mail_address(email.strip()) else ""
    said = data.get("email_verified")
    # Some providers write booleans as text.
    is_verified = said is True or said == "true" or (said is None and provider.trusts_email)
    groups = data.get(provider.group_claim)
    groups = [groups] if isinstance(groups, str) else groups
    return Claims(
        issuer=provider.issuer,
        subject=subject,
        email=email,
        is_email_verified=bool(email) and is_verified,
        name=_text(data.get("name")),
        username=_text(data.get("preferred_username")),
        groups=frozenset(g for g in groups if isinstance(g, str))
        if isinstance(groups, list)
        else frozenset(),
    )


def arrive(claims: Claims, provider: OidcSettings, *, invitation: Invitation | None = None) -> User:
    """Return the account of somebody whom the provider signed in; linked or made if need be.

    Raises:
        Refused: they have none and may have none, or theirs is closed; the text says why.
    """
    with transaction.atomic():
        rows = Identity.objects.select_related("user")
        known = rows.filter(issuer=claims.issuer, subject=claims.subject).first()
        if known is not None:
            user = known.user
            Identity.objects.filter(pk=known.pk).update(used_at=clock.now())
        else:
            user = _linked(claims, provider) or _made(claims, provider, invitation)
            Identity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject)
        if not user.is_active:
            raise Refused("Your account here is closed; an administrator can open it again.")
        _obey_group(user, claims, provider)
    return user


def _linked(claims: Claims, provider: OidcSettings) -> User | None:
    """Return the one account with the address of somebody who comes for the first time."""
    if not claims.email:
        return None
    found = list(User.objects.filter(email__iexact=claims.email)[:2])
    if not found:
        return None
    if not claims.is_email_verified:
        raise Refused(
            f"{provider.name} has not verified your address {claims.email}, and an account here "
            "has it. Verify it there, or sign in with your password."
        )
    if len(found) > 1:
        raise Refused(
            f"Several accounts here have the address {claims.email}; an administrator has to say "
            "which one is yours."
        )
    user = found[0]
    if not is_email_proven(user):
        raise Refused(
            f"An account here has the address {claims.email}, which nobody has confirmed. Sign in "
            "with its password and confirm the address on your account page first."
        )
    details = {"issuer": claims.issuer, "email": claims.email}
    record(Act.ACCOUNT_LINKED, by=user, about=user.get_username(), details=details)
    lines = [
        f"The account {user.get_username()} of {site().name} can be used through {provider.name} "
        "from now on.",
        "If that was not you, tell an administrator of the studio at once.",
    ]
    send_later(AccountMail(user.email, f"Your account is linked with {provider.name}", lines))
    return user


def _made(claims: Claims, provider: OidcSettings, invitation: Invitation | None) -> User:
    if not claims.email:
        raise Refused(f"{provider.name} does not tell your e-mail address, which an account needs.")
    if not claims.is_email_verified:
        raise Refused(f"{provider.name} has not verified your address {claims.email}.")
    allowed = admission(claims.email, invitation)
    if allowed.way is None:
        raise Refused(f"{provider.name} knows you, but you have no account here. {allowed.reason}")
    name = claims.name or claims.username or claims.email.partition("@")[0]
    new = NewAccount(name=name, email=claims.email, username=claims.username)
    return make_account(new, way=allowed.way, password=None)


def _obey_group(user: User, claims: Claims, provider: OidcSettings) -> None:
    """Let the group decide who administrates the studio, but never take the last one away."""
    if not provider.admin_group:
        return
    is_admin = provider.admin_group in claims.groups
    if is_admin == user.is_superuser:
        return
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if not is_admin and not others.exists():
        return
    user.is_superuser = user.is_staff = is_admin
    user.save(update_fields=["is_superuser", "is_staff"])
    details = {"administrator": is_admin, "group": provider.admin_group}
    record(Act.ACCOUNT_CHANGED, by=None, about=user.get_username(), details=details)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return " ".join(clean_text(text, MAX_NAME).split())
