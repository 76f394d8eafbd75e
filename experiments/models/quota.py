"""What a workspace may use at once and in a day, and how the slots of a target were shared."""

from __future__ import annotations

from typing import Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from experiments.models.compute import ComputeTarget
from experiments.models.workspace import Workspace

DEFAULT_PRIORITY: Final = 10
MOST_PRIORITY: Final = 100


class WorkspaceQuota(models.Model):
    """Limits of a workspace; without a row it has none. Changed by services.quotas.

    What was counted stands beside the limit, so that a start and its count are one transaction.
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="quota")
    max_running_runs = models.PositiveIntegerField(
        "running runs",
        null=True,
        blank=True,
        help_text="At once, on all compute targets; 0: none start. Empty: no limit.",
    )
    max_runs_per_day = models.PositiveIntegerField(
        "runs a day",
        null=True,
        blank=True,
        help_text="That start between 00:00 and 24:00 UTC, repetitions included. Empty: no limit.",
    )
    max_storage_bytes = models.PositiveBigIntegerField(
        "storage",
        null=True,
        blank=True,
        help_text="Files of runs, snapshots and models, in bytes; beyond it no new runs start. "
        "Empty: no limit.",
    )
    priority = models.PositiveSmallIntegerField(
        default=DEFAULT_PRIORITY,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PRIORITY)],
        help_text=f"Its share of the slots of a busy target beside others, 1 to {MOST_PRIORITY}: "
        "20 gets twice as many as 10.",
    )
    counted_on = models.DateField(
        null=True, blank=True, editable=False, help_text="The day (UTC) of the count below."
    )
    counted_runs = models.PositiveIntegerField(
        default=0, editable=False, help_text="Runs that started on that day."
    )
    stored_bytes = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="As it was measured last."
    )
    measured_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "quota of a workspace"
        verbose_name_plural = "quotas of workspaces"
        ordering = ["workspace__name"]

    def __str__(self) -> str:
        return f"quota of {self.workspace}"


class SlotShares(models.Model):
    """How workspaces that wait for a target have shared its slots; read by fair_share alone.

    Whoever takes a run holds this row, so runs of one target are taken one after the other. Lost,
    it is made anew and everybody begins with the same.
    """

    compute = models.OneToOneField(
        ComputeTarget, on_delete=models.CASCADE, primary_key=True, related_name="shares"
    )
    ledger = models.JSONField(default=dict)

    class Meta:
        verbose_name = "shares of a target"
        verbose_name_plural = "shares of targets"

    def __str__(self) -> str:
        return f"shares of {self.compute}"
