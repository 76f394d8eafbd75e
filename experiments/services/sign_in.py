"""Checking a name and a password, with pauses that stop guessing and not the owner of an account.

Attempts are counted before the password is looked at, so that guesses sent at the same moment
cannot pass a limit together. Unknown names are counted like known ones. Three counts, each of a
quarter of an hour: an account from one address (5), one address with any names (50), an account
from everywhere (100). The last does not hold up addresses where its owner has a session.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest

from experiments.client_address import client_address
from experiments.models import SignedInSession
from experiments.services import attempts
from experiments.services.audit import Act, record
from experiments.storable import is_storable

MAX_FAILURES: Final = 5
MAX_OF_ADDRESS: Final = 50
MAX_OF_ACCOUNT: Final = 100
PAUSE_SECONDS: Final = 15 * 60
_PAIR, _ADDRESS, _ACCOUNT = "sign-in-pair", "sign-in-address", "sign-in-account"


class SignInPausedError(Exception):
    """Too many failures; even the right password waits."""


def sign_in_with_password(request: HttpRequest, *, username: str, password: str) -> User | None:
    """Return the person, or None when the pair is wrong. `username` may be the e-mail address.

    Raises:
        SignInPausedError: too many failures within a quarter of an hour.
    """
    known = find_by_name(username)
    account = (known.get_username() if known else username.strip()).casefold()
    network = attempts.network()
    failures = attempts.count(_PAIR, account, network, seconds=PAUSE_SECONDS)
    of_address = attempts.count(_ADDRESS, network, seconds=PAUSE_SECONDS)
    of_account = attempts.count(_ACCOUNT, account, seconds=PAUSE_SECONDS)
    if failures > MAX_FAILURES or of_address > MAX_OF_ADDRESS:
        raise SignInPausedError
    if of_account > MAX_OF_ACCOUNT and not _was_here(known):
        raise SignInPausedError
    name = known.get_username() if known else username
    user = authenticate(request, username=name, password=password)
    if isinstance(user, User):
        attempts.put(_PAIR, account, network, number=0, seconds=PAUSE_SECONDS)
        attempts.take_back(_ADDRESS, network)
        attempts.take_back(_ACCOUNT, account)
        return user
    _note_failure(known)
    if failures == MAX_FAILURES:
        # The pause starts with the last failure, not with the first.
        attempts.put(_PAIR, account, network, number=MAX_FAILURES, seconds=PAUSE_SECONDS)
    if failures == MAX_FAILURES or of_address == MAX_OF_ADDRESS:
        record(Act.SIGN_IN_PAUSED, by=None, about=known.get_username() if known else "")
        raise SignInPausedError
    return None


def find_by_name(text: str) -> User | None:
    """Return whom a user name means, or an e-mail address that one active person has."""
    if not is_storable(text):
        return None
    found = User.objects.filter(username=text).first()
    if found is None and "@" in text:
        same = list(User.objects.filter(email__iexact=text.strip(), is_active=True)[:2])
        found = same[0] if len(same) == 1 else None
    return found


def _was_here(user: User | None) -> bool:
    address = client_address()
    rows = SignedInSession.objects.filter(user=user, address=address)
    return user is not None and bool(address) and rows.exists()


def _note_failure(known: User | None) -> None:
    # Not what was typed: people type passwords where names belong.
    text = known.get_username() if known else ""
    details = {} if known else {"name": "unknown"}
    record(Act.SIGN_IN_FAILED, by=None, about=text, details=details)
