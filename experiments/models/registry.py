"""Registered models: a name in a workspace, and its versions with their own copies of the files."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from experiments.models.fields import OrderedJSONField
from experiments.models.run import Run
from experiments.models.sweep import Sweep
from experiments.models.workspace import Workspace


def new_folder_name() -> str:
    """Return a fresh name for the folder of a version's files."""
    return uuid.uuid4().hex


class RegisteredModel(models.Model):
    """A named model; what it is like is in its versions."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="registered_models"
    )
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    last_number = models.PositiveIntegerField(
        default=0, help_text="Number of the newest version ever; none is given twice."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(help_text="When a version was registered or changed last.")

    class Meta:
        ordering = ["-updated_at", "-pk"]
        indexes = [
            # queries.model_list: changed last first.
            models.Index(fields=["workspace", "-updated_at", "-id"], name="model_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="model_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("model", args=[self.workspace.slug, self.name])


class ModelVersion(models.Model):
    """What one run left behind, copied and kept: it outlives the run and never changes."""

    class Stage(models.TextChoices):
        NONE = "none", "None"
        STAGING = "staging", "Staging"
        PRODUCTION = "production", "Production"
        ARCHIVED = "archived", "Archived"

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="1, 2, 3, ... within the model.")
    folder = models.CharField(max_length=32, unique=True, default=new_folder_name)
    path = models.CharField(
        max_length=1000, help_text="What was taken of the run: a folder or a file of its tree."
    )
    is_folder = models.BooleanField(help_text="Whether the path was a folder.")
    file_count = models.PositiveIntegerField()
    size_bytes = models.BigIntegerField()

    metric_name = models.CharField(max_length=255)
    goal = models.CharField(max_length=8)
    metric_value = models.FloatField(null=True, blank=True)
    params = OrderedJSONField()

    # The rows may be deleted; the copies of what they said stay.
    run = models.ForeignKey(
        Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="model_versions"
    )
    sweep = models.ForeignKey(
        Sweep, on_delete=models.SET_NULL, null=True, blank=True, related_name="model_versions"
    )
    run_public_id = models.CharField(max_length=70)
    run_number = models.PositiveIntegerField()
    sweep_public_id = models.CharField(max_length=60)
    sweep_name = models.CharField(max_length=255)
    experiment_name = models.CharField(max_length=255)
    snapshot_digest = models.CharField(max_length=64)
    command = models.JSONField(help_text="The whole command of the run, word by word.")

    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.NONE)
    stage_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    stage_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["model_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="model_number_once"),
            models.UniqueConstraint(
                fields=["model", "stage"],
                condition=Q(stage__in=["staging", "production"]),
                name="model_stage_once",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    def get_absolute_url(self) -> str:
        model = self.model
        return reverse("model_version", args=[model.workspace.slug, model.name, self.number])


class ModelFile(models.Model):
    """One file of a version; `path` is relative to what was registered."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=1000)
    size_bytes = models.BigIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256, hex.")

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(fields=["version", "path"], name="model_file_once"),
        ]

    def __str__(self) -> str:
        return self.path
