"""Decisions of the early-termination policy that stopped a run: its receipts."""

from __future__ import annotations

from django.db import models

from experiments import clock
from experiments.models.run import Run


class Decision(models.Model):
    """Why a policy stopped a run, with the numbers it compared."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="decisions")
    policy = models.CharField(max_length=40)
    interval = models.PositiveIntegerField()
    own = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    leader = models.IntegerField(null=True, help_text="Number of the run it was compared with.")
    leader_value = models.FloatField(null=True)
    reason = models.TextField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            # A run is stopped at most once at an interval, however often the decision is taken.
            models.UniqueConstraint(fields=["run", "interval"], name="decision_once"),
        ]

    def __str__(self) -> str:
        return self.reason
