"""Event: the human log of a sweep, one row per state change, decision or notice."""

from __future__ import annotations

from django.db import models

from experiments import clock
from experiments.models.run import Run
from experiments.models.sweep import Sweep


class Event(models.Model):
    """One numbered change of a sweep; never one per report."""

    class Kind(models.TextChoices):
        SWEEP = "sweep"
        RUN = "run"
        DECISION = "decision"
        BEST = "best"
        SAMPLER = "sampler"
        NOTICE = "notice"

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="events")
    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, null=True, blank=True, related_name="events"
    )
    cursor = models.BigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    message = models.TextField(help_text="One sentence for a person.")
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["sweep_id", "cursor"]
        indexes = [
            # queries.sweep_log by kind, queries.sweep_list: the steps of best so far.
            models.Index(fields=["sweep", "kind", "cursor"], name="event_kind"),
        ]
        constraints = [
            # Also the index of queries.events_after.
            models.UniqueConstraint(fields=["sweep", "cursor"], name="event_cursor_once"),
        ]

    def __str__(self) -> str:
        return self.message
