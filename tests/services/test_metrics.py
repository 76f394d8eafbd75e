"""Reports are stored exactly once, as arrays, with best, last and counts kept up."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.models import Event, MetricChunk, MetricSeries, Run, Sweep
from experiments.queries import all_series, series_of
from experiments.services.chunks import OPEN_POINTS
from experiments.services.compaction import compact_series
from experiments.services.metrics import RecordResult, Report, record_reports
from experiments.services.runs import renew_lease
from experiments.services.transitions import StaleState
from tests.factories import make_running_run, make_sweep, report

pytestmark = pytest.mark.django_db
NAN, INF = math.nan, math.inf


def test_reports_become_a_series_with_its_summary():
    run = make_running_run(make_sweep())

    result = report(run, [0.5, 0.75, 0.625], steps=[1, 2, 3])

    assert result == RecordResult(new_primary=[0.5, 0.75, 0.625], primary_count=3, stored=3)
    series = MetricSeries.objects.get(run=run)
    assert (series.name, series.count) == ("accuracy", 3)
    assert (series.minimum, series.maximum) == (0.5, 0.75)
    assert (series.last_value, series.last_step) == (0.625, 3.0)
    run.refresh_from_db()
    assert (run.reports, run.best_value, run.best_interval, run.best_step) == (3, 0.75, 2, 2.0)
    assert run.last_value == 0.625


def test_a_replayed_journal_is_stored_once():
    run = make_running_run(make_sweep())
    journal = [Report(seq, "accuracy", seq / 100, None, 1.0) for seq in range(10, 60, 10)]

    first = record_reports(run.pk, run.fence, journal[:3])
    again = record_reports(run.pk, run.fence, journal)
    third = record_reports(run.pk, run.fence, journal)

    assert (first.stored, again.stored, third.stored) == (3, 2, 0)
    assert third == RecordResult(new_primary=[], primary_count=5, stored=0)
    assert series_of(run, "accuracy").values.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert Run.objects.get(pk=run.pk).last_seq == 50


def test_a_replay_without_news_does_not_move_the_cursor():
    run = make_running_run(make_sweep())
    journal = [Report(10, "accuracy", 0.5, None, 1.0)]
    record_reports(run.pk, run.fence, journal)
    before = Sweep.objects.get(pk=run.sweep_id).cursor

    record_reports(run.pk, run.fence, journal)

    assert Sweep.objects.get(pk=run.sweep_id).cursor == before


def test_an_old_attempt_may_not_report():
    run = make_running_run(make_sweep())

    with pytest.raises(StaleState, match="belongs to attempt 1, not to 0"):
        record_reports(run.pk, run.fence - 1, [Report(10, "accuracy", 0.5, None, 1.0)])

    assert not MetricSeries.objects.exists()


def test_nan_infinity_and_text_count_as_intervals_but_never_become_best():
    run = make_running_run(make_sweep())

    report(run, [NAN, INF, "diverged", 0.25, -INF])

    run.refresh_from_db()
    assert (run.reports, run.best_value, run.best_interval) == (5, 0.25, 4)
    assert run.last_value is None
    series = MetricSeries.objects.get(run=run)
    assert (series.minimum, series.maximum) == (0.25, 0.25)
    assert series.has_nonfinite
    assert series.has_text
    stored = series_of(run, "accuracy")
    np.testing.assert_array_equal(stored.values, [NAN, INF, NAN, 0.25, -INF])
    assert stored.texts == {2: "diverged"}
    assert stored.steps is None


def test_a_run_with_only_nan_has_no_best_and_leads_nothing():
    run = make_running_run(make_sweep())

    report(run, [NAN, NAN])

    run.refresh_from_db()
    assert (run.reports, run.best_value, run.best_interval) == (2, None, None)
    assert run.sweep.best_run_id is None


@pytest.mark.parametrize(
    ("goal", "values", "best", "interval"),
    [
        ("maximize", [0.1, 0.9, 0.9, 0.3], 0.9, 2),
        ("minimize", [0.5, 0.1, 0.1, 0.3], 0.1, 2),
        ("minimize", [-1.0, 0.0], -1.0, 1),
        ("maximize", [0.0], 0.0, 1),
    ],
)
def test_best_follows_the_goal_and_the_earliest_of_equals_wins(goal, values, best, interval):
    run = make_running_run(make_sweep(primary_metric={"name": "accuracy", "goal": goal}))

    for value in values:
        report(run, [value])

    run.refresh_from_db()
    assert (run.best_value, run.best_interval) == (best, interval)
    assert (run.sweep.best_value, run.sweep.best_run_id) == (best, run.pk)


def test_the_log_gets_a_line_when_the_lead_changes_not_when_it_grows():
    sweep = make_sweep(max_concurrent_runs=4)
    first, second = make_running_run(sweep), make_running_run(sweep)

    report(first, [0.5])
    report(first, [0.6])
    report(second, [0.55])
    report(second, [0.7])
    report(first, [0.7])

    lines = Event.objects.filter(sweep=sweep, kind="best").order_by("cursor")
    assert [line.message for line in lines] == [
        "Run 0 leads with accuracy 0.5 at interval 1.",
        "Run 1 leads with accuracy 0.7 at interval 2.",
    ]
    sweep.refresh_from_db()
    assert (sweep.best_run, sweep.best_value) == (second, 0.7)


def test_other_metrics_are_kept_and_change_no_best():
    run = make_running_run(make_sweep())

    result = report(run, [9.0, 8.0], name="loss")

    assert result == RecordResult(new_primary=[], primary_count=0, stored=2)
    run.refresh_from_db()
    assert (run.reports, run.best_value, run.last_value) == (0, None, None)
    assert [s.name for s in all_series(run)] == ["loss"]


def test_one_flush_with_several_metrics_keeps_them_apart():
    run = make_running_run(make_sweep())
    mixed = [
        Report(i, name, float(i), float(i) if name == "loss" else None, 100.0 + i)
        for i, name in enumerate(["accuracy", "loss", "accuracy", "lr", "loss"], start=1)
    ]

    record_reports(run.pk, run.fence, mixed)

    found = {s.name: (s.values.tolist(), s.times.tolist()) for s in all_series(run)}
    assert found == {
        "accuracy": ([1.0, 3.0], [101.0, 103.0]),
        "loss": ([2.0, 5.0], [102.0, 105.0]),
        "lr": ([4.0], [104.0]),
    }
    assert series_of(run, "loss").steps.tolist() == [2.0, 5.0]


def test_steps_that_begin_late_or_stop_leave_gaps():
    run = make_running_run(make_sweep())

    report(run, [1.0, 2.0])
    report(run, [3.0], steps=[30])
    report(run, [4.0])

    np.testing.assert_array_equal(series_of(run, "accuracy").steps, [NAN, NAN, 30.0, NAN])


def test_names_and_texts_that_a_database_cannot_take_are_mended():
    run = make_running_run(make_sweep())

    report(run, ["bad\x00text\ud800"], name="na\x00me" + "x" * 300)

    series = MetricSeries.objects.get(run=run)
    assert len(series.name) == 255
    assert "\x00" not in series.name
    assert series_of(run, series.name).texts == {0: "bad�text?"}


def test_a_chunk_is_closed_when_it_is_full_and_a_big_flush_fills_large_ones():
    run = make_running_run(make_sweep())

    report(run, [float(i) for i in range(OPEN_POINTS)])
    report(run, [1.0])
    report(run, [2.0])
    report(run, [3.0] * 10_000)

    chunks = MetricChunk.objects.filter(series__run=run).order_by("first")
    assert [(c.first, c.count) for c in chunks] == [
        (0, 512),
        (512, 4096),
        (4608, 4096),
        (8704, 1810),
    ]
    assert series_of(run, "accuracy").values.size == 512 + 2 + 10_000


def test_compaction_changes_rows_and_nothing_else():
    run = make_running_run(make_sweep())
    rng = random.Random(5)
    for _ in range(12):
        report(run, [rng.random() for _ in range(rng.randint(200, 600))])
    report(run, ["late text"], steps=[7])
    before = series_of(run, "accuracy")
    marks = b"".join(
        bytes(c.marks) for c in MetricChunk.objects.filter(series__run=run).order_by("first")
    )

    saved = compact_series(run.pk)

    after = series_of(run, "accuracy")
    assert saved > 0
    np.testing.assert_array_equal(after.values, before.values)
    np.testing.assert_array_equal(after.steps, before.steps)
    np.testing.assert_array_equal(after.times, before.times)
    assert after.texts == before.texts
    chunks = list(MetricChunk.objects.filter(series__run=run).order_by("first"))
    assert b"".join(bytes(c.marks) for c in chunks) == marks
    assert compact_series(run.pk) == 0


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    values=st.lists(st.floats(width=64) | st.text(max_size=5), min_size=1, max_size=1500),
    cuts=st.lists(st.integers(0, 1500), max_size=8),
)
def test_any_way_to_cut_a_journal_into_flushes_stores_the_same(values, cuts, django_db_blocker):
    run = make_running_run(make_sweep(max_total_runs=1000))
    journal = [Report(i, "accuracy", v, None, float(i)) for i, v in enumerate(values, start=1)]

    for upto in [*sorted(cuts), len(values)]:
        record_reports(run.pk, run.fence, journal[:upto])

    stored = series_of(run, "accuracy")
    expected = [NAN if isinstance(v, str) else v for v in values]
    np.testing.assert_array_equal(stored.values, expected)
    assert stored.times.tolist() == [float(i) for i in range(1, len(values) + 1)]
    finite = [v for v in expected if math.isfinite(v)]
    run.refresh_from_db()
    assert run.reports == len(values)
    assert run.best_value == (max(finite) if finite else None)
    assert set(stored.texts) == {i for i, v in enumerate(values) if isinstance(v, str)}


def test_names_that_become_equal_share_a_series():
    run = make_running_run(make_sweep())
    long = "x" * 300
    mixed = [Report(i, long + str(i), float(i), None, 1.0) for i in (1, 2)]

    record_reports(run.pk, run.fence, mixed)

    (series,) = all_series(run)
    assert series.values.tolist() == [1.0, 2.0]


def test_a_run_that_was_deleted_takes_no_reports():
    run = make_running_run(make_sweep())
    Sweep.objects.filter(pk=run.sweep_id).update(best_run=None)
    Run.objects.filter(pk=run.pk).delete()

    with pytest.raises(StaleState, match="was deleted"):
        record_reports(run.pk, run.fence, [Report(1, "accuracy", 0.5, None, 1.0)])
    assert renew_lease(run.pk, run.fence).lost
