"""Members of a workspace: added, given another role, removed; leaving; handing it over.

A workspace always keeps at least one Owner with an account that works. Who may do it is the
caller's question.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import connection, transaction

from experiments import clock
from experiments.models import Invitation, Membership, Workspace
from experiments.permissions import Role
from experiments.problems import Problem, ProblemsError
from experiments.services import broadcast
from experiments.services.audit import Act, record
from experiments.services.refused import Refused
from experiments.services.sessions import person_group
from experiments.storable import is_storable

_SHOWN: Final = 80


def find_person(text: str) -> User:
    """Return the account with this user name or e-mail address.

    Raises:
        ProblemsError: there is none that works, or several have the address.
    """
    wanted = text.strip()
    shown = wanted[:_SHOWN]
    if not wanted or not is_storable(wanted):
        raise ProblemsError([Problem("user", "Give a user name or an e-mail address.")])
    active = User.objects.filter(is_active=True)
    found = list(active.filter(username=wanted))
    if not found and "@" in wanted:
        found = list(active.filter(email__iexact=wanted)[:2])
    if not found:
        message = (
            f"Nobody here has the user name or address {shown!r}. People without an account come "
            "in by an invitation."
        )
        raise ProblemsError([Problem("user", message)])
    if len(found) > 1:
        message = f"Several accounts have the address {shown!r}; give the user name."
        raise ProblemsError([Problem("user", message)])
    return found[0]


def checked_role(text: str) -> Role:
    """Return the role with this name.

    Raises:
        ProblemsError: there is no such role.
    """
    try:
        return Role(text)
    except ValueError:
        message = f"role is {text[:_SHOWN]!r}; use one of {', '.join(Role)}."
        raise ProblemsError([Problem("role", message)]) from None


def add_member(workspace: Workspace, person: User, role: Role, *, by: User) -> Membership:
    """Make somebody with an account a member.

    Raises:
        Refused: they are one already.
    """
    with transaction.atomic():
        member, is_new = Membership.objects.get_or_create(
            workspace=workspace, user=person, defaults={"role": role}
        )
        if not is_new:
            raise Refused(
                f"{person.get_username()} is a member of “{workspace.name}” already, as "
                f"{member.role}; change their role instead."
            )
        note(Act.MEMBER_ADDED, member, by, {"role": role})
    return member


def change_role(member: Membership, role: Role, *, by: User) -> None:
    """Give a member another role.

    Raises:
        Refused: they are the only Owner, or no member any more.
    """
    with transaction.atomic():
        fresh = _locked(member)
        if fresh.role == role:
            return
        if fresh.role == Role.OWNER:
            _check_owner_stays(fresh)
            _revoke_invitations_by(fresh)
        details = {"from": fresh.role, "to": role}
        fresh.role = role
        fresh.save(update_fields=["role"])
        note(Act.MEMBER_ROLE_CHANGED, fresh, by, details)


def remove_member(member: Membership, *, by: User) -> None:
    """Take somebody out of a workspace; what they made there stays.

    Their pages, tokens and open sockets of the workspace find nothing any more. The invitations
    that they made are revoked, so that no link of theirs lets them in again.

    Raises:
        Refused: they are the only Owner, or no member any more.
    """
    with transaction.atomic():
        fresh = _locked(member)
        if fresh.role == Role.OWNER:
            _check_owner_stays(fresh)
        note_removal(fresh, by=by)
        fresh.delete()


def leave_workspace(workspace: Workspace, *, user: User) -> None:
    """Leave a workspace.

    Raises:
        Refused: one is no member of it, or its only Owner.
    """
    member = Membership.objects.filter(workspace=workspace, user=user).first()
    if member is None:
        raise Refused(f"You are no member of “{workspace.name}”.")
    remove_member(member, by=user)


def hand_over(member: Membership, *, by: User) -> None:
    """Make a member Owner; who hands over stays as a Contributor, if they were an Owner.

    Raises:
        Refused: it is oneself, somebody whose account is disabled, or no member any more.
    """
    if member.user_id == by.pk:
        raise Refused("You own the workspace already; choose another member.")
    if not member.user.is_active:
        raise Refused(f"The account of {member.user.get_username()} is disabled.")
    with transaction.atomic():
        fresh = _locked(member)
        fresh.role = Role.OWNER
        fresh.save(update_fields=["role"])
        own = Membership.objects.filter(workspace=fresh.workspace_id, user=by, role=Role.OWNER)
        own.update(role=Role.CONTRIBUTOR)
        note(Act.WORKSPACE_HANDED_OVER, fresh, by, {})


def check_keeps_owner(
    workspace: Workspace, touched: Collection[int], owners: Iterable[User]
) -> None:
    """Check a change of several members at once: a workspace that has an Owner keeps one.

    `touched`: keys of the memberships that are changed or removed; `owners`: who is Owner by the
    change. In a transaction, nobody else changes members of the workspace until its end.

    Raises:
        Refused: no Owner with an account that works would be left.
    """
    if connection.in_atomic_block:
        Workspace.objects.select_for_update().filter(pk=workspace.pk).first()
    rows = Membership.objects.filter(workspace=workspace, role=Role.OWNER, user__is_active=True)
    stays = any(owner.is_active for owner in owners) or rows.exclude(pk__in=touched).exists()
    if not stays and rows.exists():
        raise Refused(
            f"“{workspace.name}” keeps at least one Owner whose account works, and this would "
            "leave none. Make another member Owner at the same time, or first."
        )


def note_edit(member: Membership, was: Membership | None, *, by: User) -> None:
    """Do what follows of a membership that was stored as a row; `was`: as it was, None: new."""
    if was and (was.user_id, was.workspace_id) != (member.user_id, member.workspace_id):
        note_removal(was, by=by)
        was = None
    if was is None:
        note(Act.MEMBER_ADDED, member, by, {"role": member.role})
    elif was.role != member.role:
        if was.role == Role.OWNER:
            _revoke_invitations_by(member)
        note(Act.MEMBER_ROLE_CHANGED, member, by, {"from": was.role, "to": member.role})


def note_removal(member: Membership, *, by: User) -> None:
    """Do what follows of the end of a membership, in the transaction that removes the row."""
    _revoke_invitations_by(member)
    act = Act.MEMBER_LEFT if by.pk == member.user_id else Act.MEMBER_REMOVED
    note(act, member, by, {"role": member.role})
    person = member.user_id
    transaction.on_commit(lambda: _tell_sockets(person))


def note(act: Act, member: Membership, by: User, details: dict[str, Any]) -> None:
    """Write an act on a member into the audit log."""
    name = member.user.get_username()
    who = str(member.user_id)
    record(act, by=by, workspace=member.workspace, about=name, about_id=who, details=details)


def _locked(member: Membership) -> Membership:
    """Return the member as it is now; nobody else changes members of the workspace meanwhile."""
    Workspace.objects.select_for_update().filter(pk=member.workspace_id).first()
    rows = Membership.objects.select_related("workspace", "user")
    fresh = rows.filter(pk=member.pk).first()
    if fresh is None:
        raise Refused(f"{member.user.get_username()} is no member any more.")
    return fresh


def _tell_sockets(user_id: int) -> None:
    """Let the open sockets of a person look again at what they may see."""
    broadcast.publish([person_group(user_id)], {"type": "person.changed"})


def _check_owner_stays(member: Membership) -> None:
    others = Membership.objects.filter(
        workspace=member.workspace_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=member.pk)
    if not others.exists():
        raise Refused(
            f"{member.user.get_username()} is the only Owner of “{member.workspace.name}”, and a "
            "workspace keeps at least one. Make another member Owner first."
        )


def _revoke_invitations_by(member: Membership) -> None:
    made = Invitation.objects.filter(
        workspace=member.workspace_id, created_by=member.user_id, revoked_at__isnull=True
    )
    made.update(revoked_at=clock.now())
