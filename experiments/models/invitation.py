"""Links that let people into a workspace; kept as hashes, with who used them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from experiments import clock
from experiments.models.workspace import Workspace
from experiments.permissions import Role


class Invitation(models.Model):
    """A link into a workspace: shown once, for a time, a number of people, maybe one address."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(
        max_length=16,
        choices=[(one.value, one.value) for one in Role],
        default=Role.CONTRIBUTOR.value,
    )
    email = models.EmailField(
        blank=True, help_text="Only an account with this address may use it; empty: whoever has it."
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="invitations_made",
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    max_uses = models.PositiveSmallIntegerField(default=1)
    uses = models.PositiveSmallIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    mailed_at = models.DateTimeField(
        null=True, blank=True, help_text="When an e-mail with the link went off."
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # Two people at once cannot both be the last.
            models.CheckConstraint(
                condition=models.Q(uses__lte=models.F("max_uses")), name="invitation_uses_limited"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.workspace}, {self.email or 'for whoever has the link'}"


class InvitationUse(models.Model):
    """Somebody who came in by an invitation; the same link never lets them in again."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="used_by")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations_used"
    )
    used_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["invitation", "user"], name="invitation_used_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} used invitation {self.invitation_id}"
