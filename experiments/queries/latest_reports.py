"""The last report of every metric of many runs, without reading the reports before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from django.db.models import BinaryField, F
from django.db.models.functions import Length, Substr

from experiments.models import MetricChunk, Run

# Name, value, Unix seconds, step; without a step its ordinal from 0.
Point: TypeAlias = tuple[str, float, float, float]


def latest_points(runs: Sequence[Run]) -> dict[int, list[Point]]:
    """Return the last report of every metric by the key of its run: name, value, time, step.

    One query, which reads the last number of each series and not the series.
    """
    last = MetricChunk.objects.filter(
        series__run__in=[run.pk for run in runs], series__count=F("first") + F("count")
    ).annotate(
        value_bytes=_last_of("values"), step_bytes=_last_of("steps"), time_bytes=_last_of("times")
    )
    rows = last.order_by("series__name").values_list(
        "series__run_id", "series__name", "series__count", "texts",
        "value_bytes", "time_bytes", "step_bytes",
    )  # fmt: skip
    found: dict[int, list[Point]] = {}
    for run_id, name, count, texts, *raw in rows:
        if texts and str(count - 1) in texts:
            continue  # a text is no metric for MLflow
        value, time, step = (_number(item) for item in raw)
        step = step if np.isfinite(step) else float(count - 1)
        found.setdefault(run_id, []).append((name, value, time, step))
    return found


def _last_of(field: str) -> Substr:
    # Packed or not, a column ends with its last number.
    return Substr(field, Length(field) - 7, 8, output_field=BinaryField())


def _number(raw: Any) -> float:
    return float(np.frombuffer(bytes(raw), "<f8")[0]) if raw else float("nan")
