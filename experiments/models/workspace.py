"""Workspace and membership: the team boundary that every query goes through."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from experiments.permissions import Role


class Workspace(models.Model):
    """A team's home; owns experiments and may own compute targets."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="workspaces"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """What one person may do in one workspace."""

    Role = Role

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(
        max_length=16,
        choices=[(one.value, one.value) for one in Role],
        default=Role.CONTRIBUTOR.value,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}: {self.role}"


class WorkspaceSeat(models.Model):
    """Where one person works: the workspace they chose, and the one that was made for them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="workspace_seat"
    )
    current = models.ForeignKey(
        Workspace,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="chosen_by",
        help_text="Where new sweeps go; empty: the oldest of their workspaces.",
    )
    personal = models.OneToOneField(
        Workspace,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="personal_of",
        help_text="Made at their first sign-in.",
    )
    settled_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="First sign-in: no second personal workspace is made after it.",
    )

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.user} works in {self.current or 'the oldest workspace'}"
