"""Metric reports: one series per (run, metric), stored as append-only chunks of arrays.

Chunks of little-endian float64 / int64 arrays take about 12 bytes a point and are read ten times
as fast as one row per report.
"""

from __future__ import annotations

from django.db import models

from experiments.models.run import Run
from experiments.models.sweep import Sweep


class MetricSeries(models.Model):
    """Summary of all reports of one metric by one run; kept up with every flush."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="series")
    name = models.CharField(max_length=255)
    count = models.PositiveIntegerField(default=0)
    minimum = models.FloatField(null=True, blank=True)
    maximum = models.FloatField(null=True, blank=True)
    last_value = models.FloatField(null=True, blank=True)
    last_step = models.FloatField(null=True, blank=True)
    has_nonfinite = models.BooleanField(default=False)
    has_text = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "metric series"
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="series_once"),
        ]

    def __str__(self) -> str:
        return self.name


class MetricChunk(models.Model):
    """A piece of a series: `count` points from ordinal `first` (0-based) on."""

    # db_index=False: the indexes below begin with these two.
    series = models.ForeignKey(
        MetricSeries, on_delete=models.CASCADE, related_name="chunks", db_index=False
    )
    sweep = models.ForeignKey(
        Sweep, on_delete=models.CASCADE, related_name="metric_chunks", db_index=False
    )
    first = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    since = models.BigIntegerField(help_text="Sweep cursor of the first append.")
    stamp = models.BigIntegerField(help_text="Sweep cursor of the last append.")
    values = models.BinaryField(help_text="float64; NaN and infinities as they are.")
    steps = models.BinaryField(
        null=True, help_text="Steps from the script as packed_columns.py has them; null: none."
    )
    times = models.BinaryField(help_text="Unix seconds as packed_columns.py has them.")
    marks = models.BinaryField(
        help_text="int64 pairs (stamp, ordinal after the last point of that append)."
    )
    texts = models.JSONField(null=True, help_text='Values that are text: {"<ordinal>": "..."}')

    class Meta:
        ordering = ["series_id", "first"]
        indexes = [
            # queries.events_after, services.termination: chunks of a sweep changed since a cursor.
            models.Index(fields=["sweep", "stamp"], name="chunk_changed"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["series", "first"], name="chunk_once"),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} [{self.first}, {self.first + self.count})"
