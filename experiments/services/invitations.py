"""Links that let people into a workspace: made, shown once, used, revoked.

A link lets each person in once: somebody who was removed does not come back with an old link, two
who open it at once are counted one after the other, and one for an address is of no use to others.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from experiments import clock
from experiments.models import Invitation, InvitationUse, Membership, Workspace
from experiments.notify.mail_server import is_mail_address
from experiments.permissions import Role
from experiments.problems import Problem, ProblemsError
from experiments.queries.workspaces import invitation_state, live_invitations
from experiments.services.access import digest_of
from experiments.services.audit import Act, record
from experiments.services.refused import Refused
from experiments.services.workspaces import choose_workspace
from experiments.storable import is_storable

DAYS: Final = (1, 7, 30)
MAX_DAYS: Final = 90
MAX_USES: Final = 100
MOST_LIVE: Final = 100
_RANK: Final = {role: rank for rank, role in enumerate(Role)}
_GONE: Final = {
    "": "This invitation does not exist, or its workspace is gone.",
    "revoked": "This invitation was revoked.",
    "used": "This invitation has been used.",
    "expired": "This invitation has expired.",
}
_ASK: Final = " Ask whoever sent it for a new one."


@dataclass(frozen=True, slots=True)
class InvitationTerms:
    """What an invitation is good for."""

    role: str = Role.CONTRIBUTOR
    email: str = ""
    days: int = 7
    max_uses: int = 1


def create_invitation(
    workspace: Workspace, terms: InvitationTerms, *, user: User
) -> tuple[Invitation, str]:
    """Make an invitation; return it with the secret part of its link, never seen again.

    Raises:
        ProblemsError: everything that is wrong with it.
        Refused: the workspace has as many open ones as it may have.
    """
    email = terms.email.strip()
    problems = _problems(terms, email)
    if problems:
        raise ProblemsError(problems)
    if live_invitations(workspace.invitations.all()).count() >= MOST_LIVE:
        raise Refused(f"The workspace has {MOST_LIVE} open invitations; revoke some first.")
    plain = secrets.token_urlsafe(32)
    now = clock.now()
    with transaction.atomic():
        invitation = Invitation.objects.create(
            workspace=workspace,
            role=terms.role,
            email=email,
            digest=digest_of(plain),
            created_by=user,
            created_at=now,
            expires_at=now + timedelta(days=terms.days),
            max_uses=terms.max_uses,
        )
        _note(Act.INVITATION_MADE, invitation, user)
    return invitation, plain


def revoke_invitation(invitation: Invitation, *, user: User) -> bool:
    """Make a link useless at once; False when it was already."""
    with transaction.atomic():
        live = Invitation.objects.filter(pk=invitation.pk, revoked_at__isnull=True)
        if not live.update(revoked_at=clock.now(), revoked_by=user):
            return False
        _note(Act.INVITATION_REVOKED, invitation, user)
    return True


def find_invitation(plain: str) -> Invitation | None:
    """Return the invitation that a link stands for, whatever has become of it."""
    rows = Invitation.objects.select_related("workspace", "created_by")
    return rows.filter(digest=digest_of(plain)).first()


def open_invitation(plain: str) -> Invitation | None:
    """Return the invitation that a link stands for while it lets somebody in; else None."""
    found = find_invitation(plain)
    return found if found is not None and not why_closed(found) else None


def why_closed(invitation: Invitation | None) -> str:
    """Return why an invitation lets nobody in any more; "" while it does."""
    if invitation is None:
        return _GONE[""] + _ASK
    state = invitation_state(invitation, clock.now())
    return "" if state == "live" else _GONE[state] + _ASK


def is_for(invitation: Invitation, user: User) -> bool:
    """Tell whether a person may use an invitation: anybody, or who has the address it is for."""
    return not invitation.email or invitation.email.casefold() == user.email.casefold()


def use_invitation(user: User, plain: str) -> Membership:
    """Let a signed-in person in by the secret part of a link; they work there from now on.

    A member who would get no more by it just goes there, and nothing is used up.

    Raises:
        Refused: the link is of no use, or not to this person; the text says why.
    """
    with transaction.atomic():
        # A second click waits here until the first is done, and finds a member.
        Invitation.objects.select_for_update().filter(digest=digest_of(plain)).first()
        invitation = find_invitation(plain)
        reason = why_closed(invitation)
        if invitation is None or reason:
            raise Refused(reason)
        _check_person(invitation, user)
        members = Membership.objects.filter(workspace=invitation.workspace_id, user=user)
        member = members.first()
        if member is None or _RANK[Role(member.role)] < _RANK[Role(invitation.role)]:
            member = _let_in(invitation, user, member)
        choose_workspace(user, invitation.workspace)
    return member


def _let_in(invitation: Invitation, user: User, member: Membership | None) -> Membership:
    _, is_first = InvitationUse.objects.get_or_create(invitation=invitation, user=user)
    if not is_first:
        raise Refused("You have used this invitation before; it lets everybody in once." + _ASK)
    rows = live_invitations(Invitation.objects.filter(pk=invitation.pk)).order_by()
    # Of two who come at once only one finds the last use.
    if not rows.update(uses=F("uses") + 1):
        raise Refused(_GONE["used"] + _ASK)
    if member is None:
        member = Membership(workspace=invitation.workspace, user=user)
    member.role = invitation.role
    member.save()
    _note(Act.INVITATION_USED, invitation, user)
    return member


def _check_person(invitation: Invitation, user: User) -> None:
    if not user.is_active:
        raise Refused("Your account is disabled.")
    if not is_for(invitation, user):
        raise Refused(
            f"This invitation is for {invitation.email}, and your account "
            f"{user.get_username()} has another address. Sign in with the account that has it."
        )


def _problems(terms: InvitationTerms, email: str) -> list[Problem]:
    problems = []
    if terms.role not in list(Role):
        text = f"role is {terms.role[:40]!r}; use one of {', '.join(Role)}."
        problems.append(Problem("role", text))
    if email and not (is_mail_address(email) and is_storable(email) and len(email) <= 254):
        text = f"{email[:80]!r} is no e-mail address; use one like name@example.org."
        problems.append(Problem("email", text))
    if not 1 <= terms.days <= MAX_DAYS:
        text = f"An invitation lives 1 to {MAX_DAYS} days, not {terms.days}."
        problems.append(Problem("days", text))
    if not 1 <= terms.max_uses <= MAX_USES:
        text = f"An invitation lets 1 to {MAX_USES} people in, not {terms.max_uses}."
        problems.append(Problem("max_uses", text))
    elif terms.max_uses > 1 and (email or terms.role == Role.OWNER):
        whose = "for one address" if email else "to be Owner"
        text = f"An invitation {whose} lets 1 person in, not {terms.max_uses}."
        problems.append(Problem("max_uses", text))
    return problems


def _note(act: Act, invitation: Invitation, user: User) -> None:
    details = {"role": invitation.role, "email": invitation.email, "uses": invitation.max_uses}
    record(
        act,
        by=user,
        workspace=invitation.workspace,
        about=f"{invitation.role} of {invitation.workspace.name}",
        about_id=str(invitation.pk),
        details=details,
    )
