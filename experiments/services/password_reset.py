"""A new password by a link to the address of an account, with Django's one-time tokens.

What a stranger learns is the same for every address: nothing.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db.models import Q
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from experiments.services import attempts
from experiments.services.account_mail import AccountMail, send_later
from experiments.services.audit import Act, record
from experiments.services.notification_links import absolute
from experiments.services.refused import Refused
from experiments.services.site import site
from experiments.storable import is_storable

_HOUR: Final = 3600
_MOST_OF_CLIENT: Final = 10
_MOST_OF_ACCOUNT: Final = 3
_MOST_ACCOUNTS: Final = 5


def ask_for_reset(name: str) -> None:
    """Send a link to whoever has this user name or address, and may have a password.

    Raises:
        Refused: this client asked too often.
    """
    if attempts.count("reset", attempts.network(), seconds=_HOUR) > _MOST_OF_CLIENT:
        raise Refused("That were too many tries from your network; try again in an hour.")
    for user in _people(name.strip()):
        if attempts.count("reset-of", str(user.pk), seconds=_HOUR) <= _MOST_OF_ACCOUNT:
            record(Act.PASSWORD_RESET_ASKED, by=None, about=user.get_username())
            send_later(_mail(user))


def person_of_reset(uid: str, token: str) -> User | None:
    """Return whose password a link sets; None when it was used, is too old or never was."""
    try:
        key = int(urlsafe_base64_decode(uid).decode("ascii"))
    except (ValueError, OverflowError):
        return None
    user = User.objects.filter(pk=key, is_active=True).first() if 0 < key < 2**31 else None
    if user is None or not default_token_generator.check_token(user, token):
        return None
    return user


def _people(name: str) -> list[User]:
    if not name or not is_storable(name):
        return []
    rows = User.objects.filter(Q(username=name) | Q(email__iexact=name), is_active=True)
    found = rows.exclude(email="").order_by("pk")[:_MOST_ACCOUNTS]
    # Whoever comes by single sign-on alone gets no second way in by asking for it.
    return [one for one in found if one.has_usable_password() or not one.identities.exists()]


def _mail(user: User) -> AccountMail:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    lines = [
        f"Open this link within two hours to choose a new password of {user.get_username()} at "
        f"{site().name}.",
        "If you did not ask for it, do nothing: the password stays as it is.",
    ]
    url = absolute(reverse("password_reset_link", args=[uid, token]))
    # To the address of the account, never to what was typed.
    return AccountMail(user.email, "Choose a new password", lines, url, "New password")
