"""Sweep: one tuning job with its specification, limits and state."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from experiments import clock
from experiments.models.artifact import Snapshot
from experiments.models.compute import ComputeTarget
from experiments.models.experiment import Experiment
from experiments.models.fields import OrderedJSONField
from experiments.states import SWEEP_TERMINAL, SweepState

_ENDED = sorted(str(s) for s in SWEEP_TERMINAL)
_HAS_REASON = sorted([*_ENDED, str(SweepState.CANCEL_REQUESTED)])


def new_sweep_id() -> str:
    """Return a fresh public id in the form of the contract, `HD_<uuid>`."""
    return f"HD_{uuid.uuid4()}"


class Sweep(models.Model):
    """The parent run. `state` is assigned by services.transitions alone."""

    class Kind(models.TextChoices):
        SWEEP = "sweep"
        CHECK = "check"

    public_id = models.CharField(max_length=60, unique=True, default=new_sweep_id)
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="sweeps")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="sweeps"
    )
    compute = models.ForeignKey(ComputeTarget, on_delete=models.PROTECT, related_name="sweeps")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="sweeps")
    kind = models.CharField(
        max_length=10,
        choices=Kind.choices,
        default=Kind.SWEEP,
        help_text="A check tries one configuration before the launch; no list or number counts it.",
    )
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    spec = OrderedJSONField()
    spec_version = models.PositiveIntegerField(default=1)
    seed = models.BigIntegerField(help_text="What the sampler's random numbers start from.")
    # Copies of the spec's limits: what the controller obeys, so that a live sweep can be changed.
    max_total_runs = models.PositiveIntegerField()
    max_concurrent_runs = models.PositiveIntegerField()

    state = models.CharField(max_length=20, default=SweepState.QUEUED)
    end_reason = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True, help_text="One sentence for a person.")
    cursor = models.BigIntegerField(default=0, help_text="Grows by one with every change.")
    next_number = models.PositiveIntegerField(default=0, help_text="Number of the next run.")
    sampled = models.PositiveIntegerField(
        default=0, help_text="Runs that count towards max_total_runs (retries do not)."
    )
    is_exhausted = models.BooleanField(default=False, help_text="The sampler has nothing left.")
    sampler_error = models.TextField(
        blank=True, help_text="Why the sampler failed: no new runs, the sweep fails at the end."
    )

    kept_end_reason = models.CharField(
        max_length=20,
        blank=True,
        help_text="Of a canceled sweep that repeats runs: no new samples, then this end again.",
    )
    kept_reason = models.TextField(blank=True)

    metric_name = models.CharField(max_length=255)
    goal = models.CharField(max_length=8)
    best_run = models.ForeignKey(
        "Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    best_value = models.FloatField(null=True, blank=True)
    best_stamp = models.BigIntegerField(default=0, help_text="Cursor of the last new best.")

    created_at = models.DateTimeField(default=clock.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    resumed_at = models.DateTimeField(
        null=True, blank=True, help_text="Failures before this do not count for the breaker."
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    # In the trash nobody but the trash shows it; `purging_at` says that nothing brings it back.
    trashed_at = models.DateTimeField(null=True, blank=True)
    trashed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    purging_at = models.DateTimeField(null=True, blank=True)
    keep_outputs_of_best = models.PositiveIntegerField(
        null=True, blank=True, help_text="Rule for its end: only so many runs keep their outputs."
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            # queries.active_sweeps: the watchdog's tick.
            models.Index(fields=["state"], name="sweep_state"),
            # queries.sweep_list: newest first within an experiment.
            models.Index(fields=["experiment", "-created_at"], name="sweep_newest"),
            # queries.old_checks, services.check_run: few rows among many sweeps.
            models.Index(
                fields=["owner", "ended_at"], condition=Q(kind="check"), name="sweep_checks"
            ),
            # queries.trash, services.trash: few rows among many sweeps.
            models.Index(
                fields=["trashed_at"], condition=Q(trashed_at__isnull=False), name="sweep_trash"
            ),
            # services.outputs: ended sweeps whose rule has not been carried out.
            models.Index(
                fields=["ended_at"],
                condition=Q(keep_outputs_of_best__isnull=False),
                name="sweep_keep_rule",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="sweep_ended_at_in_terminal_states",
                condition=Q(state__in=_ENDED, ended_at__isnull=False)
                | (~Q(state__in=_ENDED) & Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="sweep_end_reason_when_ending",
                condition=(Q(state__in=_HAS_REASON) & ~Q(end_reason=""))
                | (~Q(state__in=_HAS_REASON) & Q(end_reason="")),
            ),
            models.CheckConstraint(
                name="sweep_trashed_after_its_end",
                condition=Q(trashed_at__isnull=True, purging_at__isnull=True)
                | Q(trashed_at__isnull=False, ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        if self.kind == self.Kind.CHECK:  # it has no page of its own
            return f"{reverse('sweep_new')}?check={self.public_id}#s-check"
        return reverse("sweep", args=[self.public_id])

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in SWEEP_TERMINAL

    @property
    def max_duration(self) -> timedelta:
        """The sweep's own time limit."""
        return timedelta(minutes=self.spec["max_duration_minutes"])


class SweepVersion(models.Model):
    """One edit of a live sweep: what changed, who and when. Version 1 is the submitted spec."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="spec_version of the sweep after the edit.")
    changes = models.JSONField(help_text="Field of the spec: {from, to}.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["sweep_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["sweep", "number"], name="sweep_version_once"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
