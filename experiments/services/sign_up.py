"""Who may make an account without an administrator, and making it.

Passwords, invitations and single sign-on meet here: whoever makes an account asks `admission`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from experiments.models import Invitation, SignUp, SiteSettings
from experiments.notify.mail_server import is_mail_address
from experiments.problems import Problem, ProblemsError
from experiments.services import attempts
from experiments.services.account_mail import AccountMail, send_later, sends_mail
from experiments.services.audit import Act, record
from experiments.services.notification_links import absolute
from experiments.services.refused import Refused
from experiments.services.site import Site, site
from experiments.storable import is_storable

Policy = SiteSettings.SignUp
MAX_NAME: Final = 150
_SALT: Final = "experiments.sign_up"
LINK_SECONDS: Final = 24 * 3600
_HOUR: Final = 3600
_MOST_ACCOUNTS: Final = 10
_MOST_LINKS: Final = 3
_MAX_USERNAME: Final = 40
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether somebody may have an account: the way, or why not in a sentence."""

    way: SignUp.Way | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is known of somebody before they have an account."""

    name: str
    email: str
    username: str = ""


def may_sign_up(email: str, invitation: Invitation | None = None) -> bool:
    """Tell whether somebody with this address may make an account now."""
    return admission(email, invitation).way is not None


def admission(email: str, invitation: Invitation | None = None) -> Admission:
    """Return which way the policy of the site lets somebody in, or why it does not."""
    now = site()
    if now.sign_up == Policy.CLOSED:
        return Admission(None, "An administrator makes every account of this studio.")
    if invitation is not None:
        if invitation.email and invitation.email.casefold() != email.casefold():
            return Admission(None, f"The invitation is for {invitation.email}.")
        return Admission(SignUp.Way.INVITED)
    if now.sign_up == Policy.OPEN:
        return Admission(SignUp.Way.OPEN)
    if now.sign_up == Policy.DOMAINS:
        domains = domains_of(now)
        if email.rpartition("@")[2].casefold() in domains:
            return Admission(SignUp.Way.DOMAINS)
        return Admission(None, f"Accounts are for addresses of {', '.join(domains) or 'nobody'}.")
    return Admission(None, "An account needs an invitation to a workspace.")


def domains_of(now: Site) -> list[str]:
    """Return the domains whose addresses may sign up."""
    words = re.split(r"[\s,;]+", now.sign_up_domains.casefold())
    return [word.strip("@.") for word in words if word.strip("@.")]


def is_open_to_strangers() -> bool:
    """Tell whether the sign-in page offers an account to somebody without an invitation."""
    policy = site().sign_up
    # An address of a domain has to be proven, so there is no such sign-up without e-mail.
    return policy == Policy.OPEN or (policy == Policy.DOMAINS and sends_mail())


def send_sign_up_link(email: str) -> None:
    """Send a link that proves an address and goes on to an account; says the same to everybody.

    Raises:
        ProblemsError: it is no address, or not one that may sign up.
        Refused: this client asked for too many.
    """
    email = email.strip()
    if problems := _address_problems(email):
        raise ProblemsError(problems)
    allowed = admission(email)
    if allowed.way is None:
        raise ProblemsError([Problem("email", allowed.reason)])
    if attempts.count("sign-up", attempts.network(), seconds=_HOUR) > _MOST_ACCOUNTS:
        raise Refused("That were too many tries from your network; try again in an hour.")
    if attempts.count("sign-up-link", email.casefold(), seconds=_HOUR) > _MOST_LINKS:
        return
    name = site().name
    if User.objects.filter(email__iexact=email).exists():
        lines = [
            f"Somebody, probably you, wanted to make an account of {name} with this address. You "
            "have one already: sign in, or choose a new password there.",
        ]
        url = absolute(reverse("sign_in"))
        send_later(AccountMail(email, "You have an account already", lines, url, "Sign in"))
        return
    lines = [
        f"Open this link within a day to make your account of {name}.",
        "If you did not ask for it, do nothing: there is no account yet.",
    ]
    token = signing.dumps(email, salt=_SALT)
    url = absolute(reverse("sign_up_proven", args=[token]))
    send_later(AccountMail(email, "Your new account", lines, url, "Go on"))


def proven_address(token: str) -> str | None:
    """Return the address that such a link proves, while it has no account."""
    try:
        email = str(signing.loads(token, salt=_SALT, max_age=LINK_SECONDS))
    except signing.BadSignature:
        return None
    return None if User.objects.filter(email__iexact=email).exists() else email


def sign_up(
    new: NewAccount, *, password: str, is_proven: bool, invitation: Invitation | None = None
) -> User:
    """Make an account with a password.

    Raises:
        ProblemsError: everything that is wrong with it.
        Refused: this client made too many.
    """
    new = NewAccount(" ".join(new.name.split()), new.email.strip())
    allowed = admission(new.email, invitation)
    problems = _name_problems(new.name) + _address_problems(new.email)
    if not problems and allowed.way is None:
        problems.append(Problem("email", allowed.reason))
    if not problems and User.objects.filter(email__iexact=new.email).exists():
        problems.append(Problem("email", "There is an account with this address; sign in with it."))
    problems += _password_problems(new, password)
    if problems or allowed.way is None:
        raise ProblemsError(problems)
    if attempts.count("sign-up", attempts.network(), seconds=_HOUR) > _MOST_ACCOUNTS:
        raise Refused("That were too many accounts from your network; try again in an hour.")
    unproven = "" if is_proven else new.email
    return make_account(new, way=allowed.way, password=password, unproven=unproven)


def make_account(
    new: NewAccount, *, way: SignUp.Way, password: str | None, unproven: str = ""
) -> User:
    """Make the rows of an account that somebody may have; without a password for single sign-on."""
    with transaction.atomic():
        user = _create_user(new, password)
        SignUp.objects.create(user=user, way=way, unproven_email=unproven)
        details = {"way": way.label, "email": new.email, "proven": not unproven}
        record(Act.ACCOUNT_CREATED, by=user, about=user.get_username(), details=details)
    return user


def is_email_proven(user: User) -> bool:
    """Tell whether the address of an account is its owner's: confirmed, or an administrator's word.

    Only what somebody typed while signing up is neither.
    """
    if not user.email:
        return False
    rows = SignUp.objects.filter(user=user).exclude(unproven_email="")
    return not rows.filter(unproven_email__iexact=user.email).exists()


def split_name(name: str) -> tuple[str, str]:
    """Return a full name as Django's two fields: the last word is the second."""
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")


def _create_user(new: NewAccount, password: str | None) -> User:
    first, last = split_name(new.name)
    base = _username_base(new)
    for number in range(1, _TRIES):
        username = base if number == 1 else f"{base}-{number}"
        if User.objects.filter(username__iexact=username).exists():
            continue
        try:
            with transaction.atomic():
                return User.objects.create_user(
                    username, new.email, password, first_name=first, last_name=last
                )
        except IntegrityError:
            continue  # somebody took it at this moment
    raise Refused(f"All user names like '{base}' are taken; ask an administrator for an account.")


def _username_base(new: NewAccount) -> str:
    # Without @: a user name that looks like somebody's address would stand in its way.
    wanted = new.username or new.email.partition("@")[0]
    name = re.sub(r"[^\w.+-]", "", wanted.partition("@")[0].casefold())[:_MAX_USERNAME]
    return name.strip(".+-_") or "user"


def _name_problems(name: str) -> list[Problem]:
    if not 0 < len(name) <= MAX_NAME or not is_storable(name) or not name.isprintable():
        text = f"The name has {len(name)} characters; use 1 to {MAX_NAME} on one line."
        return [Problem("name", text)]
    return []


def _address_problems(email: str) -> list[Problem]:
    if not is_mail_address(email) or not is_storable(email):
        text = f"{email[:80]!r} is no e-mail address; use one like name@example.org."
        return [Problem("email", text)]
    return []


def _password_problems(new: NewAccount, password: str) -> list[Problem]:
    first, last = split_name(new.name)
    person = User(username=_username_base(new), email=new.email, first_name=first, last_name=last)
    try:
        validate_password(password, person)
    except ValidationError as error:
        return [Problem("password", " ".join(error.messages))]
    return []
