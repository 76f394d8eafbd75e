"""The unfinished forms of a person in the workspace that new sweeps go to."""

from __future__ import annotations

from django.db.models import QuerySet

from experiments.models import SweepDraft
from experiments.queries.visible import AnyUser, current_workspace, workspaces_for
from experiments.storable import is_storable


def drafts_for(user: AnyUser) -> QuerySet[SweepDraft]:
    """Return the drafts of a person, the latest first; nobody sees those of others."""
    if not user.is_authenticated:
        return SweepDraft.objects.none()
    own = SweepDraft.objects.filter(owner=user.pk, workspace=current_workspace(user))
    return own.filter(discarded_at__isnull=True).order_by("-changed_at")


def get_draft(user: AnyUser, public_id: str, *, is_discarded: bool = False) -> SweepDraft:
    """Return a draft by its public id; `is_discarded`: one that was thrown away lately.

    Raises:
        SweepDraft.DoesNotExist: there is none, or it is not this person's.
    """
    if not user.is_authenticated or not is_storable(public_id):
        raise SweepDraft.DoesNotExist
    # In any of their workspaces: the form goes where its draft is.
    own = SweepDraft.objects.filter(owner=user.pk, workspace__in=workspaces_for(user))
    return own.get(public_id=public_id, discarded_at__isnull=not is_discarded)
