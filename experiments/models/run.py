"""Run: one execution of the script with fixed parameters."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse

from experiments import clock
from experiments.models.removal import Removal
from experiments.models.sweep import Sweep
from experiments.states import RUN_TERMINAL, RunState

_ENDED = sorted(str(s) for s in RUN_TERMINAL)
_HAS_REASON = sorted([*_ENDED, str(RunState.CANCEL_REQUESTED)])


class Run(models.Model):
    """A child run. `state` is assigned by services.transitions alone; a retry is a new row."""

    class Origin(models.TextChoices):
        SAMPLER = "sampler"
        RETRY = "retry"
        HAND = "hand"
        RESUMED = "resumed"

    public_id = models.CharField(max_length=70, unique=True)
    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField(help_text="Ordinal in sampling order, from 0.")
    params = models.JSONField()
    note = models.TextField(blank=True, help_text="Why the sampler chose these values.")
    facts = models.JSONField(
        null=True, blank=True, help_text="The numbers behind the note, as the sampler gave them."
    )
    origin = models.CharField(
        max_length=10,
        choices=Origin.choices,
        default=Origin.SAMPLER,
        help_text="The sampler, a repetition, a person's own values, or an earlier run.",
    )
    retry_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="retries"
    )
    resumption = models.ForeignKey(
        "Resumption",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="runs",
        help_text="The earlier run whose hyperparameters and outputs it goes on from.",
    )

    state = models.CharField(max_length=20, default=RunState.QUEUED)
    end_reason = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True, help_text="One sentence for a person.")
    stamp = models.BigIntegerField(default=0, help_text="Sweep cursor of the last change.")

    # The attempt that may write: every write of an executor carries the fence it was given.
    fence = models.PositiveIntegerField(default=0)
    worker_name = models.CharField(max_length=120, blank=True)
    host = models.CharField(max_length=255, blank=True)
    executor_pid = models.IntegerField(null=True, blank=True)
    executor_started = models.FloatField(null=True, blank=True)
    guard_pid = models.IntegerField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    token_digest = models.CharField(max_length=64, blank=True, db_index=True)

    arguments = models.JSONField(
        default=list, help_text="What the script is given: fixed arguments, then hyperparameters."
    )
    command = models.JSONField(
        default=list, help_text="The whole command as it was started, word by word."
    )
    tags = models.JSONField(
        default=dict, blank=True, help_text="Names with text or null; may be changed."
    )
    properties = models.JSONField(
        default=dict, blank=True, help_text="Names with text, each written once."
    )
    directory = models.CharField(max_length=500, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    log_bytes = models.BigIntegerField(default=0)
    output_bytes = models.BigIntegerField(default=0)
    outputs_removal = models.ForeignKey(
        Removal,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="runs",
        help_text="What took its outputs; without a time it is still at it.",
    )
    outputs_removed_at = models.DateTimeField(null=True, blank=True)

    # Journal position: reports with a sequence number up to last_seq are stored.
    last_seq = models.BigIntegerField(default=0)
    reports = models.PositiveIntegerField(
        default=0, help_text="Reports of the primary metric = intervals so far."
    )
    best_value = models.FloatField(null=True, blank=True)
    best_interval = models.PositiveIntegerField(null=True, blank=True)
    best_step = models.FloatField(null=True, blank=True)
    last_value = models.FloatField(null=True, blank=True)
    last_decision = models.JSONField(null=True, blank=True)

    created_at = models.DateTimeField(default=clock.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["sweep_id", "number"]
        indexes = [
            # queries.events_after: rows of a sweep changed since a cursor.
            models.Index(fields=["sweep", "stamp"], name="run_changed"),
            # services.advance, queries.sweep_list: how many runs of a sweep are in which state.
            models.Index(fields=["sweep", "state", "end_reason"], name="run_state"),
            # queries.expired_runs: the watchdog's tick; the lease is empty unless a run is live.
            models.Index(fields=["lease_expires_at"], name="run_lease"),
            # queries.fair_share: what has not ended, few rows among many, and what just has.
            models.Index(fields=["ended_at", "sweep"], name="run_ended"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sweep", "number"], name="run_number_once"),
            models.CheckConstraint(
                name="run_ended_at_in_terminal_states",
                condition=Q(state__in=_ENDED, ended_at__isnull=False)
                | (~Q(state__in=_ENDED) & Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="run_end_reason_when_ending",
                condition=(Q(state__in=_HAS_REASON) & ~Q(end_reason=""))
                | (~Q(state__in=_HAS_REASON) & Q(end_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("run", args=[self.public_id])

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in RUN_TERMINAL
