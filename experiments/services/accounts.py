"""What people change of their own account, and how it is closed."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q

from experiments.models import (
    ApiToken,
    Membership,
    NotificationChannel,
    ShareLink,
    SignInLink,
    SignUp,
    SweepDraft,
)
from experiments.permissions import Role
from experiments.problems import Problem, ProblemsError
from experiments.services.account_mail import AccountMail, send_later
from experiments.services.audit import Act, record
from experiments.services.refused import Refused
from experiments.services.sessions import end_sessions
from experiments.services.sign_up import MAX_NAME, split_name
from experiments.services.site import site
from experiments.storable import is_storable

ERASED: Final = "former-member"


def change_name(user: User, name: str) -> None:
    """Say what a person is called; an empty name shows the user name instead.

    Raises:
        ProblemsError: it is too long, or holds what no name does.
    """
    name = " ".join(name.split())
    if len(name) > MAX_NAME or not is_storable(name) or not (name.isprintable() or not name):
        text = f"The name has {len(name)} characters; use at most {MAX_NAME}, on one line."
        raise ProblemsError([Problem("name", text)])
    first, last = split_name(name)
    if len(first) > MAX_NAME or len(last) > MAX_NAME:
        raise ProblemsError([Problem("name", f"A word of the name is longer than {MAX_NAME}.")])
    before = user.get_full_name()
    if name == before:
        return
    user.first_name, user.last_name = first, last
    with transaction.atomic():
        user.save(update_fields=["first_name", "last_name"])
        details = {"name": {"from": before, "to": name}}
        record(Act.ACCOUNT_CHANGED, by=user, about=user.get_username(), details=details)


def note_address(user: User, address: str, instead_of: str) -> None:
    """Write down that an account has another, confirmed address, and tell the old one."""
    SignUp.objects.filter(user=user).update(unproven_email="")
    details = {"email": {"from": instead_of, "to": address}}
    record(Act.ACCOUNT_CHANGED, by=user, about=user.get_username(), details=details)
    if instead_of and instead_of.casefold() != address.casefold():
        _tell(user, instead_of, f"now has the address {address}", "Your e-mail address was changed")


def note_password(user: User, *, how: str) -> None:
    """Write down that a person set their password, and tell them: it may not have been them."""
    record(Act.PASSWORD_CHANGED, by=user, about=user.get_username(), details={"how": how})
    if user.email:
        _tell(user, user.email, "has a new password", "Your password was changed")


def deactivate_account(user: User, *, by: User) -> None:
    """Close an account so that an administrator can open it again; tokens and links are gone.

    Its sweeps go on: they belong to the workspace, whose members can cancel them, and the token of
    a run opens that run alone.

    Raises:
        Refused: nobody else administrates the studio, or one of the person's workspaces.
    """
    _close(user, by=by, erase=False)


def erase_account(user: User, *, by: User) -> None:
    """Close an account for good: name, address and everything that is its own are removed.

    Sweeps, models and notes stay with their workspaces, by a former member.

    Raises:
        Refused: nobody else administrates the studio, or one of the person's workspaces.
    """
    _close(user, by=by, erase=True)


def reason_to_stay(user: User, *, erase: bool) -> str:
    """Return why an account cannot be closed now, "" when it can."""
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        return "You are the last administrator of this studio; make somebody else one first."
    if erase and (names := _only_owner_of(user)):
        return (
            f"You are the only Owner of {', '.join(names)}, which others are members of; "
            "make one of them an Owner first."
        )
    return ""


def _only_owner_of(user: User) -> list[str]:
    """Return the names of the shared workspaces that would have no Owner without a person."""
    mine = Membership.objects.filter(user=user, role=Role.OWNER).values("workspace")
    active = Q(workspace__memberships__user__is_active=True)
    owners = active & Q(workspace__memberships__role=Role.OWNER)
    rows = (
        Membership.objects.filter(user=user, workspace__in=mine)
        .annotate(
            owners=Count("workspace__memberships", filter=owners, distinct=True),
            members=Count("workspace__memberships", filter=active, distinct=True),
        )
        .filter(owners=1, members__gt=1)
    )
    return list(rows.order_by("workspace__name").values_list("workspace__name", flat=True)[:5])


def _close(user: User, *, by: User, erase: bool) -> None:
    with transaction.atomic():
        # Of two administrators who leave at once the second one sees what the first did.
        admins = User.objects.select_for_update().filter(Q(is_superuser=True) | Q(pk=user.pk))
        user = {one.pk: one for one in admins.order_by("pk")}[user.pk]
        if reason := reason_to_stay(user, erase=erase):
            raise Refused(reason)
        name = user.get_username()
        record(Act.ACCOUNT_CLOSED, by=by, about=name, details={"erased": erase})
        ApiToken.objects.filter(user=user).delete()
        SignInLink.objects.filter(user=user, used_at__isnull=True).delete()
        user.is_active = False
        if erase:
            _erase(user)
        user.save()
        end_sessions(user)


def _erase(user: User) -> None:
    Membership.objects.filter(user=user).delete()
    NotificationChannel.objects.filter(user=user).delete()
    ShareLink.objects.filter(created_by=user).delete()
    SweepDraft.objects.filter(owner=user).delete()
    SignUp.objects.filter(user=user).delete()
    user.identities.all().delete()
    user.stars.all().delete()
    user.username = f"{ERASED}-{user.pk}"
    user.first_name = user.last_name = user.email = ""
    user.is_superuser = user.is_staff = False
    user.groups.clear()
    user.user_permissions.clear()
    user.set_unusable_password()


def _tell(user: User, address: str, what: str, title: str) -> None:
    lines = [
        f"The account {user.get_username()} of {site().name} {what}.",
        "If that was not you, tell an administrator of the studio at once.",
    ]
    send_later(AccountMail(address, title, lines))
