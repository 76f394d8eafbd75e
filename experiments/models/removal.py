"""Removal: what was removed for good, by whom, what it freed; it outlives what it removed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from experiments import clock
from experiments.models.sweep import Sweep
from experiments.models.workspace import Workspace


class Removal(models.Model):
    """One removal for good. Written before anything is touched, so a process that dies is no harm:
    whoever finds a row without an end goes on with it.
    """

    class Kind(models.TextChoices):
        SWEEP = "sweep"
        OUTPUTS = "outputs"
        SNAPSHOT = "snapshot"
        LEFTOVERS = "leftovers"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="removals",
        help_text="Empty: it belonged to none.",
    )
    sweep = models.ForeignKey(
        Sweep, on_delete=models.SET_NULL, null=True, blank=True, related_name="removals"
    )
    sweep_public_id = models.CharField(max_length=60, blank=True)
    name = models.CharField(max_length=255, help_text="Of the sweep, or what it was.")
    run_count = models.PositiveIntegerField(default=0, help_text="Runs that lose something.")
    kept_best = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of outputs: how many of the best runs keep theirs."
    )
    expected_bytes = models.BigIntegerField(default=0, help_text="Estimate, from the rows.")
    freed_bytes = models.BigIntegerField(default=0, help_text="Of the files removed so far.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: a rule of the studio or of the sweep.",
    )
    requested_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(
        max_length=300, blank=True, help_text="Why it did not get on when it was tried last."
    )
    problem_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # services.removals: what is going on; queries.trash: what was removed last.
            models.Index(fields=["workspace", "-id"], name="removal_newest"),
            models.Index(
                fields=["id"], condition=Q(finished_at__isnull=True), name="removal_going_on"
            ),
        ]
        constraints = [
            # Two people who press the button at once start one removal.
            models.UniqueConstraint(
                fields=["sweep"],
                condition=Q(kind="sweep", finished_at__isnull=True),
                name="removal_of_sweep_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
