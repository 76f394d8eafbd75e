"""Reports that come when their run has ended are kept and end up in few rows like all others."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.models import MetricChunk
from experiments.services.recovery import lose_run
from runner.reports import ReportFeed
from studio.sdk.run import format_report
from tests.factories import make_running_run, make_sweep

pytestmark = pytest.mark.django_db


def test_reports_of_a_machine_that_comes_back_are_stored_and_compacted(tmp_path):
    journal = tmp_path / "metrics.jsonl"
    lines = [format_report("accuracy", i, step=None, time=1.7e9 + i) for i in range(620)]
    run = make_running_run(make_sweep())
    journal.write_text("".join(lines[:600]))
    ReportFeed(run.pk, run.fence, journal).drain()
    lose_run(run.pk, reason="Its worker gave no sign.")
    run.refresh_from_db()

    journal.write_text("".join(lines))
    ReportFeed(run.pk, run.fence, journal, offset=run.last_seq).drain()

    chunk = MetricChunk.objects.get(series__run=run)
    assert np.frombuffer(chunk.values, dtype="<f8").tolist() == list(range(620))
    assert chunk.series.count == 620
    run.refresh_from_db()
    assert (run.state, run.reports, run.last_value) == ("Failed", 620, 619.0)
