"""Full chunks hold steps and times packed; rows of an earlier studio read the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from experiments.models import MetricChunk, Run, Sweep
from experiments.packed_columns import unpacked
from experiments.queries import series_of
from experiments.queries.latest_reports import latest_points
from experiments.queries.notification_watch import last_reports
from experiments.queries.packed_curves import Window, packed_curves
from experiments.queries.series import deltas
from experiments.services.compaction import compact_series
from experiments.services.metrics import Report, record_reports
from tests.factories import make_running_run, make_sweep

pytestmark = pytest.mark.django_db
POINTS = 5000


def log(run: Run, first: int, upto: int) -> None:
    reports = [
        Report(i, "accuracy", i / 7, float(2 * i), round(1.79e9 + i * 1.5 + i % 3 / 1e6, 6))
        for i in range(first, upto)
    ]
    record_reports(run.pk, run.fence, reports)


def unpack_rows(run: Run) -> int:
    """Make the rows what they were before there was a packed form; return how many changed."""
    changed = 0
    for chunk in MetricChunk.objects.filter(series__run=run):
        assert chunk.steps is not None
        before = len(chunk.steps), len(chunk.times)
        chunk.steps = unpacked(chunk.steps, chunk.count).tobytes()
        chunk.times = unpacked(chunk.times, chunk.count).tobytes()
        changed += before != (len(chunk.steps), len(chunk.times))
        chunk.save()
    return changed


def read(run: Run) -> list[Any]:
    sweep = Sweep.objects.get(pk=run.sweep_id)
    whole = series_of(run, "accuracy")
    assert whole is not None
    assert whole.steps is not None
    new = deltas(sweep.pk, sweep.cursor - 2, sweep.cursor)[0]
    assert new.steps is not None
    arrays = (whole.steps, whole.times, new.steps, new.times)
    return [
        *(array.tolist() for array in arrays),
        latest_points([run]),
        last_reports([run.pk]),
        *(packed_curves(sweep, "accuracy", Window(x=x)) for x in ("step", "time")),
    ]


def merge(run: Run) -> None:
    compact_series(run.pk)


def grow(run: Run) -> None:
    log(run, POINTS + 301, POINTS + 701)


@pytest.mark.parametrize("act", [None, merge, grow])
def test_rows_of_an_earlier_studio_read_as_those_of_this_one(
    act: Callable[[Run], None] | None,
) -> None:
    run = make_running_run(make_sweep())
    log(run, 1, POINTS + 1)
    log(run, POINTS + 1, POINTS + 301)
    packed = read(run)

    assert unpack_rows(run) == 2
    assert read(run) == packed
    assert packed[0] == [2.0 * i for i in range(1, POINTS + 301)]
    np.testing.assert_array_equal(packed[1][:2], [1790000001.500001, 1790000003.000002])

    if act is not None:
        act(run)
        chunks = MetricChunk.objects.filter(series__run=run).order_by("first")
        assert sum(len(c.times) < 8 * c.count for c in chunks) == 1
        of_old_rows = read(run)
        unpack_rows(run)
        assert read(run) == of_old_rows
        assert of_old_rows[0][: len(packed[0])] == packed[0]
