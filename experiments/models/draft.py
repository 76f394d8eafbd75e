"""What a person has typed into the new-sweep form and not started yet."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from experiments.models.workspace import Workspace


class SweepDraft(models.Model):
    """The texts of one form, for nobody but its owner; kept up while one types."""

    public_id = models.CharField(max_length=32, unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="drafts")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sweep_drafts"
    )
    name = models.CharField(max_length=255, blank=True, help_text="Name of the sweep so far.")
    texts = models.JSONField(default=dict, help_text="Texts by the names of the form's fields.")
    version = models.PositiveIntegerField(default=1, help_text="Counts the changes.")
    editor = models.CharField(
        max_length=64, blank=True, help_text="The open page that saved it last."
    )
    discarded_at = models.DateTimeField(
        null=True, blank=True, help_text="Kept for a day, so that it can be taken back."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-changed_at"]
        indexes = [
            # queries.drafts_for: the drafts of a person, the latest first.
            models.Index(fields=["owner", "-changed_at"], name="draft_latest"),
        ]

    def __str__(self) -> str:
        return self.name or "unnamed sweep"

    def get_absolute_url(self) -> str:
        return f"{reverse('sweep_new')}?draft={self.public_id}"
