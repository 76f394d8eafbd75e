"""What a fresh studio needs to be usable; runs at every start and changes nothing that exists."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from experiments.models import ComputeTarget, Membership, Workspace
from experiments.permissions import Role


@dataclass(frozen=True, slots=True)
class Defaults:
    """The rows of a fresh studio; `administrator` is set only when it was made now."""

    workspace: Workspace
    compute: ComputeTarget
    administrator: User | None


def ensure_defaults() -> Defaults:
    """Make the workspace "Default", the target "local" and, without any user, "admin"."""
    with transaction.atomic():
        workspace = Workspace.objects.order_by("pk").first()
        if workspace is None:
            workspace = Workspace.objects.create(name="Default", slug="default")
        compute, _ = ComputeTarget.objects.get_or_create(name="local", defaults={"kind": "local"})
        administrator = None
        if not User.objects.exists():
            # Without a password: the first way in is the sign-in link that `studio up` prints.
            administrator = User.objects.create_superuser("admin", password=None)
            Membership.objects.create(workspace=workspace, user=administrator, role=Role.OWNER)
    return Defaults(workspace=workspace, compute=compute, administrator=administrator)


def first_administrator() -> User | None:
    """Return the oldest active superuser: whom `studio up` signs in."""
    return User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
