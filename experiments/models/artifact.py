"""Snapshots of source directories and files that runs left behind."""

from __future__ import annotations

from django.db import models

from experiments import clock
from experiments.models.workspace import Workspace


class Snapshot(models.Model):
    """A source directory as it was submitted: a zip in the storage, named by its hash."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the zip, hex.")
    size_bytes = models.BigIntegerField()
    file_count = models.PositiveIntegerField()
    workspaces = models.ManyToManyField(
        Workspace,
        related_name="snapshots",
        help_text="Whose members may read it: those that uploaded or used it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(
        default=clock.now, help_text="Uploaded or used last; nobody's are removed a day later."
    )

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.digest[:12]


class Artifact(models.Model):
    """One file in the tree of a run: `outputs/...`, `logs/...` or a name given at upload."""

    run = models.ForeignKey("Run", on_delete=models.CASCADE, related_name="artifacts")
    path = models.CharField(max_length=1000, help_text="Relative, with forward slashes.")
    size_bytes = models.BigIntegerField()
    digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(fields=["run", "path"], name="artifact_once"),
        ]

    def __str__(self) -> str:
        return self.path
