"""Experiment: a named series of sweeps in a workspace."""

from __future__ import annotations

from typing import Final

from django.db import models

from experiments.models.workspace import Workspace

# The experiment of a workspace's checks; no specification can name it, since it has no name.
OF_CHECKS: Final = ""


class Experiment(models.Model):
    """A named group of sweeps on one question."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="experiments")
    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="experiment_name_once_per_workspace"
            ),
        ]

    def __str__(self) -> str:
        return self.name or "(checks)"
