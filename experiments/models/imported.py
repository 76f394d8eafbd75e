"""Where the runs of an imported sweep come from: they ran elsewhere and were observed here."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from experiments import clock
from experiments.models.sweep import Sweep


class SweepImport(models.Model):
    """One import: what was read, its hash, who brought it and when."""

    sweep = models.OneToOneField(Sweep, on_delete=models.CASCADE, related_name="imported")
    kind = models.CharField(max_length=20, help_text="csv, json, optuna, wandb, mlflow, capsule.")
    source = models.CharField(max_length=500, help_text="What was read, as a person calls it.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was imported, hex.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # services.import_runs: is the same content here already?
            models.Index(fields=["digest"], name="import_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.source}"
