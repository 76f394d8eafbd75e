"""Reads of workspaces: a person's list, what is in one, its members, its invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from experiments import clock
from experiments.models import (
    Invitation,
    Membership,
    Removal,
    SignedInSession,
    Sweep,
    Workspace,
    WorkspaceSeat,
)
from experiments.permissions import Action, Role
from experiments.queries.json_forms import time_json
from experiments.queries.visible import AnyUser, workspaces_by_choice, workspaces_where
from experiments.states import SWEEP_TERMINAL
from experiments.storable import is_storable

# Fewer are a menu, more are a page with a search.
MENU_SIZE: Final = 12


def workspace_menu(user: AnyUser) -> list[Workspace]:
    """Return what the top bar offers, the current one first, and one more than fits; 1 query."""
    return list(workspaces_by_choice(user)[: MENU_SIZE + 1])


def listed_workspaces(user: AnyUser, *, text: str = "") -> QuerySet[Workspace]:
    """Return a person's workspaces by name, with numbers of members and sweeps; 1 query.

    Each has `role`, `is_chosen`, `is_personal`, `n_members`, `n_sweeps` and `last_sweep_at`.
    """
    found = workspaces_by_choice(user)
    if text and not is_storable(text):
        return found.none()
    for word in text.split():
        found = found.filter(Q(name__icontains=word) | Q(slug__icontains=word))
    sweeps = (
        Sweep.objects.filter(
            experiment__workspace=OuterRef("pk"), kind=Sweep.Kind.SWEEP, trashed_at__isnull=True
        )
        .order_by()
        .values("experiment__workspace")
    )
    members = Membership.objects.filter(workspace=OuterRef("pk")).order_by().values("workspace")
    personal = WorkspaceSeat.objects.filter(user=user.pk, personal=OuterRef("pk"))
    return found.annotate(
        is_personal=Exists(personal),
        n_members=_number(members.annotate(n=Count("pk"))),
        n_sweeps=_number(sweeps.annotate(n=Count("pk"))),
        last_sweep_at=Subquery(sweeps.annotate(last=Max("created_at")).values("last")),
    ).order_by(F("is_member").desc(), "name", "pk")


def workspaces_to_submit(user: AnyUser) -> QuerySet[Workspace]:
    """Return the workspaces in which a person may start sweeps, by name; 1 query."""
    return workspaces_where(user, Action.SUBMIT).order_by("name", "pk")


def contents_of(workspace: Workspace) -> list[str]:
    """Return what keeps a workspace from being deleted, in words: "3 sweeps", "1 model"."""
    sweeps = Sweep.objects.filter(experiment__workspace=workspace)
    own = sweeps.filter(kind=Sweep.Kind.SWEEP)
    live_checks = sweeps.filter(kind=Sweep.Kind.CHECK).exclude(state__in=sorted(SWEEP_TERMINAL))
    counts = (
        (own.filter(trashed_at__isnull=True).count(), "sweep", ""),
        (own.filter(trashed_at__isnull=False).count(), "sweep", " in the trash"),
        (live_checks.count(), "check", " that runs"),
        (workspace.registered_models.count(), "registered model", ""),
        (workspace.compute_targets.count(), "compute target", ""),
        (
            Removal.objects.filter(workspace=workspace, finished_at__isnull=True).count(),
            "removal",
            " that goes on",
        ),
    )
    return [f"{n} {word}{'' if n == 1 else 's'}{where}" for n, word, where in counts if n]


def members_of(
    workspace: Workspace, *, text: str = "", by_address: bool = False
) -> QuerySet[Membership]:
    """Return the members of a workspace, Owners first, with `seen_at`; 1 query.

    Words of `text` stand in names, and in addresses only for those who may see these.
    """
    sessions = SignedInSession.objects.filter(user=OuterRef("user")).order_by("-seen_at")
    found = workspace.memberships.select_related("user").annotate(
        seen_at=Coalesce(Subquery(sessions.values("seen_at")[:1]), "user__last_login")
    )
    if text and not is_storable(text):
        return found.none()
    fields = ("username", "first_name", "last_name", *(["email"] if by_address else []))
    for word in text.split():
        in_any = Q()
        for name in fields:
            in_any |= Q(**{f"user__{name}__icontains": word})
        found = found.filter(in_any)
    # After the Owners the order of the alphabet is that of the roles.
    is_owner = Q(role=Role.OWNER)
    return found.annotate(is_owner=is_owner).order_by("-is_owner", "role", "user__username")


def invitations_of(workspace: Workspace, *, live: bool = False) -> QuerySet[Invitation]:
    """Return the invitations of a workspace, newest first, or only those that still work."""
    found = workspace.invitations.select_related("created_by", "revoked_by")
    return live_invitations(found) if live else found.order_by("-pk")


def live_invitations(rows: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """Keep the invitations that let somebody in now."""
    return rows.filter(
        revoked_at__isnull=True, expires_at__gt=clock.now(), uses__lt=F("max_uses")
    ).order_by("-pk")


def invitation_state(invitation: Invitation, now: datetime) -> str:
    """Return what has become of an invitation, in a word: live, used, revoked or expired."""
    if invitation.revoked_at is not None:
        return "revoked"
    if invitation.uses >= invitation.max_uses:
        return "used"
    return "live" if invitation.expires_at > now else "expired"


def workspace_json(workspace: Workspace) -> dict[str, Any]:
    """Return the JSON form of a workspace from `listed_workspaces`."""
    row: Any = workspace
    return {
        "slug": workspace.slug,
        "name": workspace.name,
        "role": row.role,
        "current": row.is_chosen,
        "personal": row.is_personal,
        "members": row.n_members,
        "sweeps": row.n_sweeps,
        "created": time_json(workspace.created_at),
    }


def member_json(member: Membership) -> dict[str, Any]:
    """Return the JSON form of a member from `members_of`."""
    row: Any = member
    return {
        "user": member.user.get_username(),
        "name": member.user.get_full_name(),
        "email": member.user.email,
        "role": member.role,
        "active": member.user.is_active,
        "joined": time_json(member.created_at),
        "seen": time_json(row.seen_at),
    }


def invitation_json(invitation: Invitation) -> dict[str, Any]:
    """Return the JSON form of an invitation, without its link: only its maker saw that."""
    by = invitation.created_by
    return {
        "id": invitation.pk,
        "role": invitation.role,
        "email": invitation.email,
        "state": invitation_state(invitation, clock.now()),
        "uses": invitation.uses,
        "max_uses": invitation.max_uses,
        "created": time_json(invitation.created_at),
        "created_by": by.get_username() if by else None,
        "expires": time_json(invitation.expires_at),
        "mailed": time_json(invitation.mailed_at),
    }


def _number(counted: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(counted.values("n")), Value(0), output_field=IntegerField())
