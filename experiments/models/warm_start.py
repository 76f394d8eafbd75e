"""Lineage of a warm start: the sweeps that a sweep goes on from, the runs that it resumes."""

from __future__ import annotations

from django.db import models

from experiments.models.fields import OrderedJSONField
from experiments.models.sweep import Sweep


class WarmStart(models.Model):
    """One earlier sweep (`resume_from`) whose results a sweep starts with, in the order given.

    When the earlier sweep is deleted, its id and name stay.
    """

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="warm_starts")
    position = models.PositiveIntegerField(help_text="Place in resume_from, from 0.")
    parent = models.ForeignKey(
        Sweep, on_delete=models.SET_NULL, null=True, related_name="continuations"
    )
    parent_public_id = models.CharField(max_length=60)
    parent_name = models.CharField(max_length=255)

    class Meta:
        ordering = ["sweep_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["sweep", "position"], name="warm_start_place"),
            models.UniqueConstraint(fields=["sweep", "parent_public_id"], name="warm_start_once"),
        ]

    def __str__(self) -> str:
        return self.parent_public_id


class Resumption(models.Model):
    """One earlier run (`resume_child_runs`) that becomes a run of a sweep once more.

    The runs that carry it out are `runs`: the first of them and those that repeat it. When the
    earlier run is deleted, its id and its hyperparameters stay.
    """

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="resumptions")
    position = models.PositiveIntegerField(help_text="Place in resume_child_runs, from 0.")
    source = models.ForeignKey(
        "Run", on_delete=models.SET_NULL, null=True, related_name="resumptions"
    )
    source_public_id = models.CharField(max_length=70)
    params = OrderedJSONField(help_text="Of the earlier run, verbatim.")

    class Meta:
        ordering = ["sweep_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["sweep", "position"], name="resumption_place"),
            models.UniqueConstraint(fields=["sweep", "source_public_id"], name="resumption_once"),
        ]

    def __str__(self) -> str:
        return self.source_public_id
