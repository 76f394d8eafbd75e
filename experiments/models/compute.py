"""Compute targets and the workers attached to them."""

from __future__ import annotations

from typing import Final

from django.db import models

from experiments.models.workspace import Workspace

# The kind of a target whose runs only a simulation executes, on a clock of its own.
SIMULATED: Final = "simulated"
# The kind of the target of runs that were imported: nothing is ever executed there.
IMPORTED: Final = "imported"
# No worker attaches to these, nobody submits to them, and no page offers them.
UNATTENDED: Final = (SIMULATED, IMPORTED)


class ComputeTarget(models.Model):
    """A named place that runs execute on: one RQ queue, any number of workers on any machine."""

    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="compute_targets",
        help_text="Empty: every workspace may use it.",
    )
    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=20, default="local")
    python = models.CharField(
        max_length=500,
        blank=True,
        help_text="Interpreter for scripts. Empty: the one that runs the worker.",
    )
    environment = models.JSONField(
        default=dict, blank=True, help_text="Variables of every run: name to value."
    )
    # Written and handed to runs, never read back: no page, form, log or job holds a value.
    secrets = models.JSONField(default=dict, blank=True, editable=False)
    labels = models.JSONField(
        default=dict, blank=True, help_text="What people look for it by: key to value."
    )
    is_enabled = models.BooleanField(default=True, help_text="Off: takes no new sweeps.")
    is_draining = models.BooleanField(
        default=False,
        help_text="On: live runs go on, waiting ones wait; no worker takes a new one.",
    )
    asked_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Workers look at their interpreter again."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def queue_name(self) -> str:
        """Name of the RQ queue that carries runs to this target."""
        return f"compute-{self.pk}"

    @property
    def is_simulated(self) -> bool:
        """Whether no worker and no watchdog has any business with its runs."""
        return self.kind in UNATTENDED


class Worker(models.Model):
    """One slot: a worker process on some machine, listening on one compute target's queue."""

    compute = models.ForeignKey(ComputeTarget, on_delete=models.CASCADE, related_name="workers")
    name = models.CharField(max_length=120, unique=True)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    process_started = models.FloatField(help_text="Start time of the process, Unix seconds.")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True)
    gpu = models.CharField(
        max_length=60, blank=True, help_text="CUDA_VISIBLE_DEVICES of its runs; empty: unchanged."
    )
    version = models.CharField(max_length=60, blank=True, help_text="Of the studio on its machine.")
    python = models.CharField(
        max_length=500, blank=True, help_text="Interpreter that its scripts get."
    )
    python_version = models.CharField(max_length=80, blank=True)
    python_problem = models.CharField(
        max_length=300, blank=True, help_text="Why the interpreter cannot be used; empty: it can."
    )
    is_python_own = models.BooleanField(
        default=False, help_text="The machine sets it itself (studio worker --python)."
    )
    python_asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["compute_id", "name"]

    def __str__(self) -> str:
        return self.name
