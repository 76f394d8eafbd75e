"""What a person may see and change: every read starts here, so that forgetting it is visible."""

from __future__ import annotations

from typing import Final, TypeAlias

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from experiments import log_context
from experiments.models import (
    ComputeTarget,
    Experiment,
    Membership,
    Run,
    Snapshot,
    Sweep,
    Workspace,
    WorkspaceSeat,
)
from experiments.models.compute import IMPORTED
from experiments.models.experiment import OF_CHECKS
from experiments.permissions import EVERYTHING, NOTHING, Action, actions_of, roles_with
from experiments.storable import is_storable

AnyUser: TypeAlias = User | AnonymousUser
_WORKS_IN: Final = "_works_in"
_LOOKS_AT: Final = "_looks_at"


def is_administrator(user: AnyUser) -> bool:
    """Tell whether a person administers the studio: may do everything in every workspace."""
    return bool(user.is_superuser and user.is_active)


def workspaces_for(user: AnyUser) -> QuerySet[Workspace]:
    """Return the workspaces whose things a person sees: all of theirs, or the one looked at."""
    only: int | None = getattr(user, _LOOKS_AT, None)
    found = all_workspaces_for(user)
    return found if only is None else found.filter(pk=only)


def look_at(user: AnyUser, workspace: Workspace) -> None:
    """Let a person see one workspace alone as long as this object lives: for one request."""
    setattr(user, _LOOKS_AT, workspace.pk)


def all_workspaces_for(user: AnyUser) -> QuerySet[Workspace]:
    """Return the workspaces a person belongs to; all of them for an administrator."""
    if is_administrator(user):
        return Workspace.objects.all()
    if not user.is_authenticated or not user.is_active:
        return Workspace.objects.none()
    return Workspace.objects.filter(memberships__user=user.pk)


def workspaces_where(user: AnyUser, action: Action) -> QuerySet[Workspace]:
    """Return the workspaces in which a person may do something."""
    if is_administrator(user):
        return Workspace.objects.all()
    if not user.is_authenticated or not user.is_active:
        return Workspace.objects.none()
    return Workspace.objects.filter(
        memberships__user=user.pk, memberships__role__in=roles_with(action)
    )


def current_workspace(user: AnyUser) -> Workspace | None:
    """Return the workspace that new sweeps of a person go to; at most 1 query."""
    asked: Workspace | None = getattr(user, _WORKS_IN, None)
    return asked or workspaces_by_choice(user).first()


def work_in(user: AnyUser, workspace: Workspace) -> None:
    """Let a person work in a workspace as long as this object lives: for one request.

    A form or an address may say where something goes, whatever workspace was chosen; everything
    that asks `current_workspace` follows it.
    """
    setattr(user, _WORKS_IN, workspace)


def workspaces_by_choice(user: AnyUser) -> QuerySet[Workspace]:
    """Return a person's workspaces: the chosen one first, then those they are in, oldest first.

    A choice that is not theirs any more counts for nothing. `role` is theirs in each, or None for
    an administrator who is no member.
    """
    seats = WorkspaceSeat.objects.filter(user=user.pk, current=OuterRef("pk"))
    roles = Membership.objects.filter(user=user.pk, workspace=OuterRef("pk")).values("role")
    return (
        all_workspaces_for(user)
        .annotate(is_chosen=Exists(seats), role=Subquery(roles[:1]))
        .annotate(is_member=Q(role__isnull=False))
        .order_by("-is_chosen", "-is_member", "pk")
    )


def role_in(user: AnyUser, workspace_id: int | None) -> str | None:
    """Return the role of a person in a workspace; None for who is no member of it."""
    if workspace_id is None or not user.is_authenticated or not user.is_active:
        return None
    roles = Membership.objects.filter(workspace=workspace_id, user=user.pk)
    return roles.values_list("role", flat=True).first()


def allowed_in(user: AnyUser, workspace_id: int | None) -> frozenset[Action]:
    """Return what a person may do in a workspace; at most 1 query, whatever is asked of it."""
    if workspace_id is None:
        return NOTHING
    if is_administrator(user):
        return EVERYTHING
    return actions_of(role_in(user, workspace_id))


def may(user: AnyUser, workspace: Workspace | None, action: Action) -> bool:
    """Tell whether a person may do something in a workspace; at most 1 query."""
    return workspace is not None and action in allowed_in(user, workspace.pk)


def experiments_for(user: AnyUser) -> QuerySet[Experiment]:
    """Return the experiments in a person's workspaces, without the one that holds the checks."""
    return Experiment.objects.filter(workspace__in=workspaces_for(user)).exclude(name=OF_CHECKS)


def sweeps_for(user: AnyUser) -> QuerySet[Sweep]:
    """Return the sweeps in a person's workspaces, with what their pages show.

    Checks are none, and those in the trash are not there.
    """
    return followed_for(user).filter(kind=Sweep.Kind.SWEEP)


def followed_for(user: AnyUser) -> QuerySet[Sweep]:
    """Return everything of a person's workspaces that may be followed live: sweeps and checks."""
    return hinted_for(user).filter(trashed_at__isnull=True)


def trashed_for(user: AnyUser) -> QuerySet[Sweep]:
    """Return the sweeps of a person's workspaces that are in the trash."""
    found = hinted_for(user).filter(kind=Sweep.Kind.SWEEP, trashed_at__isnull=False)
    return found.select_related("trashed_by")


def hinted_for(user: AnyUser) -> QuerySet[Sweep]:
    """Return everything of a person's workspaces, also what has just left the lists."""
    return Sweep.objects.filter(experiment__workspace__in=workspaces_for(user)).select_related(
        "experiment__workspace", "owner", "compute", "snapshot", "best_run"
    )


def runs_for(user: AnyUser) -> QuerySet[Run]:
    """Return the runs of a person's sweeps, not of checks, with what `run_json` needs."""
    return Run.objects.filter(
        sweep__experiment__workspace__in=workspaces_for(user),
        sweep__kind=Sweep.Kind.SWEEP,
        sweep__trashed_at__isnull=True,
    ).select_related("sweep__experiment__workspace", "sweep__compute", "retry_of", "resumption")


def compute_for(user: AnyUser) -> QuerySet[ComputeTarget]:
    """Return the compute targets of a person's workspaces, and those that all may use.

    Not that of imported runs: nothing ever happens there.
    """
    return ComputeTarget.objects.filter(
        Q(workspace__isnull=True) | Q(workspace__in=workspaces_for(user))
    ).exclude(kind=IMPORTED)


def may_manage_compute(user: AnyUser, target: ComputeTarget) -> bool:
    """Tell whether a person may drain a target and turn it off; at most 1 query."""
    if is_administrator(user):
        return True
    return Action.MANAGE_COMPUTE in allowed_in(user, target.workspace_id)


def managed_compute(user: AnyUser) -> frozenset[str]:
    """Return the names of the targets that a person may drain and turn off; 1 query."""
    targets = ComputeTarget.objects.all()
    if not is_administrator(user):
        targets = targets.filter(workspace__in=workspaces_where(user, Action.MANAGE_COMPUTE))
    return frozenset(targets.values_list("name", flat=True))


def find_snapshot(user: AnyUser, digest: str) -> Snapshot | None:
    """Return the snapshot with this SHA-256 if one of a person's workspaces holds it.

    Whoever only knows the hash of somebody's code must not read or run that code.
    """
    # PostgreSQL refuses to look for text that it could not hold.
    if not is_storable(digest):
        return None
    return Snapshot.objects.filter(
        digest=digest.lower(), workspaces__in=workspaces_for(user)
    ).first()


def get_sweep(user: AnyUser, public_id: str) -> Sweep:
    """Return a sweep by its public id.

    Raises:
        Sweep.DoesNotExist: there is none, or it is not this person's to see.
    """
    sweep = sweeps_for(user).get(public_id=public_id)
    log_context.note(sweep_id=public_id, workspace=sweep.experiment.workspace.name)
    return sweep


def get_run(user: AnyUser, public_id: str) -> Run:
    """Return a run by its public id.

    Raises:
        Run.DoesNotExist: there is none, or it is not this person's to see.
    """
    run = runs_for(user).get(public_id=public_id)
    log_context.note(run_id=public_id, workspace=run.sweep.experiment.workspace.name)
    return run
