"""Reads: who sees what, tables and lists, a fixed number of queries whatever the size."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from experiments import queries
from experiments.models import Event, MetricChunk, MetricSeries, Run, Sweep
from experiments.queries.run_table import RunChoice, columns_of
from experiments.queries.standing import Asking, asking_targets
from experiments.run_columns import Column, Kind, Source
from experiments.run_filter import parse_filter
from experiments.services.runs import RunOutcome, add_artifacts, cancel_run, finish_run
from experiments.services.sweeps import cancel_sweep
from tests.factories import (
    make_run,
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
    report,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    """Alice, who owns the workspace."""
    user = make_user("alice")
    make_workspace(user)
    return user


def make_many(sweep: Sweep, count: int, points: int = 3) -> None:
    """Write many ended runs with reports, without the time the services would take."""
    now = timezone.now()
    runs = Run.objects.bulk_create(
        Run(
            public_id=f"{sweep.public_id}_{n}",
            sweep=sweep,
            number=n,
            params={"lr": n / count, "layers": n % 3},
            state="Completed",
            end_reason="finished",
            reason="Exit code 0.",
            started_at=now,
            ended_at=now + timedelta(seconds=n),
            best_value=n / count,
            best_interval=1,
            reports=points,
            stamp=n + 10,
        )
        for n in range(count)
    )
    series = MetricSeries.objects.bulk_create(
        MetricSeries(run=run, name="accuracy", count=points) for run in runs
    )
    MetricChunk.objects.bulk_create(
        MetricChunk(
            series=one,
            sweep=sweep,
            first=0,
            count=points,
            since=n + 10,
            stamp=n + 10,
            values=np.linspace(0, n / count, points).tobytes(),
            times=np.arange(float(points)).tobytes(),
            marks=np.array([n + 10, points], dtype="<i8").tobytes(),
        )
        for n, one in enumerate(series)
    )
    Sweep.objects.filter(pk=sweep.pk).update(
        cursor=count + 10, next_number=count, best_run=runs[-1], best_value=1 - 1 / count
    )
    sweep.refresh_from_db()


def test_a_sweep_row_tells_counts_best_and_curve(alice):
    sweep = make_sweep(owner=alice, max_total_runs=4, max_concurrent_runs=4)
    runs = [make_running_run(sweep) for _ in range(3)]
    for run, value in zip(runs, [0.5, 0.4, 0.75], strict=True):
        report(run, [value])
    finish_run(runs[0].pk, runs[0].fence, RunOutcome(exit_code=0))
    cancel_run(runs[1], user=alice)

    (row,) = queries.sweep_list(alice).items

    assert row.counts == {
        "Completed": 1,
        "CancelRequested": 1,
        "Running": 1,
        "Queued": 1,
        "stopped_early": 0,
    }
    assert row.run_count == 4
    assert (row.best_value, row.best_run_number) == (0.75, 2)
    assert row.spark == [0.5, 0.5, 0.75, 0.75]
    assert (row.name, row.owner, row.metric) == ("digits", "alice", "accuracy")


def test_a_long_curve_is_thinned_out_and_ends_at_the_best(alice):
    sweep = make_sweep(owner=alice)
    make_many(sweep, 500)
    for n in range(0, 500, 9):
        Event.objects.create(
            sweep=sweep, cursor=1000 + n, kind="best", payload={"number": n, "value": n / 500}
        )

    (row,) = queries.sweep_list(alice).items

    assert len(row.spark) <= 40
    assert row.spark == sorted(row.spark)
    assert row.spark[-1] == sweep.best_value


def test_the_sweep_list_is_filtered_and_paged(alice):
    for n in range(5):
        sweep = make_sweep(owner=alice, name=f"sweep {n}", experiment="even" if n % 2 else "odd")
        if n < 2:
            cancel_sweep(sweep, user=alice)

    first = queries.sweep_list(alice, limit=2)
    second = queries.sweep_list(alice, limit=2, cursor=first.next_cursor)
    third = queries.sweep_list(alice, limit=2, cursor=second.next_cursor)

    assert [[row.name for row in page.items] for page in (first, second, third)] == [
        ["sweep 4", "sweep 3"],
        ["sweep 2", "sweep 1"],
        ["sweep 0"],
    ]
    assert (first.total, third.next_cursor) == (5, None)
    assert queries.sweep_list(alice, state="Canceled").total == 2
    assert queries.sweep_list(alice, state="active").total == 3
    assert queries.sweep_list(alice, experiment="even").total == 2
    assert [r.name for r in queries.sweep_list(alice, text="SWEEP 3").items] == ["sweep 3"]
    assert queries.sweep_list(alice, owner="bob").total == 0
    assert queries.state_counts(alice) == {"all": 5, "active": 3, "Running": 3, "Canceled": 2}


def test_the_sweep_list_takes_the_same_queries_for_one_and_for_thirty(
    alice, django_assert_num_queries
):
    for count in (1, 29):
        for _ in range(count):
            report(make_running_run(make_sweep(owner=alice)), [0.5])
        with django_assert_num_queries(3):  # sweeps, counts, curves
            queries.sweep_list(alice)


@pytest.mark.parametrize(
    ("sort", "descending", "numbers"),
    [
        ("number", False, [0, 1, 2, 3]),
        ("number", True, [3, 2, 1, 0]),
        ("best", True, [2, 0, 1, 3]),
        ("best", False, [1, 0, 2, 3]),
        ("lr", False, [3, 2, 1, 0]),
        ("--batch_size", True, [1, 0, 2, 3]),
        ("state", False, [0, 1, 2, 3]),
    ],
)
def test_runs_are_sorted_with_missing_values_last(sort, descending, numbers):
    space = {"lr": "uniform(0, 1)", "--batch_size": "choice(0, 1)"}
    sweep = make_sweep(max_concurrent_runs=4, search_space=space)
    for n, value in enumerate([0.5, 0.25, 0.75, math.nan]):
        extra = {"--batch_size": n} if n < 2 else {}
        report(make_running_run(sweep, lr=1 - n / 10, **extra), [value])

    column = columns_of(sweep).find(sort)
    page = queries.run_rows(sweep, RunChoice(sort=column, descending=descending))

    assert [row.number for row in page.items] == numbers


@pytest.mark.parametrize("name", ["number", "best", "last", "params.best", "lr"])
def test_runs_are_sorted_by_a_hyperparameter_of_any_name(name):
    sweep = make_sweep(max_concurrent_runs=4, search_space={name: "uniform(0, 1)"})
    for n, value in enumerate([0.3, 0.1, 0.2]):
        report(make_running_run(sweep, **{name: value}), [n])

    column = columns_of(sweep).find(f"params.{name}")
    page = queries.run_rows(sweep, RunChoice(sort=column))

    assert [row.number for row in page.items] == [1, 2, 0]


def test_runs_are_filtered_searched_and_paged():
    user = make_user()
    sweep = make_sweep(max_total_runs=100, max_concurrent_runs=100)
    runs = [make_running_run(sweep) for _ in range(6)]
    finish_run(runs[0].pk, runs[0].fence, RunOutcome(exit_code=1, error_line="ValueError: oops"))
    Run.objects.filter(pk=runs[1].pk).update(
        state="Canceled", end_reason="policy", reason="bandit", ended_at=timezone.now()
    )
    Run.objects.filter(pk=runs[2].pk).update(
        state="Canceled", end_reason="user", reason="by alice", ended_at=timezone.now()
    )
    cancel_run(runs[3], user=user)

    def numbers(text="", **choice):
        conditions = parse_filter(text, columns_of(sweep))
        rows = queries.run_rows(sweep, RunChoice(conditions=conditions, **choice))
        return [row.number for row in rows.items]

    assert numbers(states=["Failed"]) == [0]
    assert numbers(states=["stopped_early"]) == [1]
    assert numbers(states=["Canceled"]) == [2]
    assert numbers(states=["Canceled", "stopped_early", "Failed"]) == [0, 1, 2]
    assert numbers(text="valueerror") == [0]
    assert numbers(text="4") == [4]
    page = queries.run_rows(sweep, offset=2, limit=3)
    assert [row.number for row in page.items] == [2, 3, 4]
    assert (page.total, page.next_cursor, page.first, page.last) == (
        queries.run_rows(sweep).total,
        "5",
        3,
        5,
    )
    last = queries.run_rows(sweep, offset=page.total - 1, limit=3)
    assert last.next_cursor is None


def test_curves_are_cut_and_keep_their_ends():
    sweep = make_sweep()
    run = make_running_run(sweep)
    values = np.sin(np.arange(5000) / 50).tolist()
    report(run, values, steps=range(0, 10_000, 2))

    curve = queries.curves_of(sweep, "accuracy", limit=300)[0]

    assert curve.values.size <= 300
    assert (curve.intervals[0], curve.intervals[-1]) == (1, 5000)
    assert (curve.values.max(), curve.values.min()) == (max(values), min(values))
    for interval, step, value in zip(curve.intervals, curve.steps, curve.values, strict=True):
        assert (step, value) == (2 * (interval - 1), values[interval - 1])
    (found,) = queries.curves_json(sweep, "accuracy", limit=300)
    assert (found["count"], found["run"], found["status"]) == (5000, run.public_id, "Running")


def test_hot_reads_take_the_same_queries_for_ten_and_for_a_thousand_runs(
    django_assert_num_queries,
):
    for count in (10, 1000):
        sweep = make_sweep(early_termination={"type": "bandit", "slack_factor": 0.1})
        make_many(sweep, count)
        sweep = queries.get_sweep(make_user(), sweep.public_id)
        with django_assert_num_queries(2):
            choice = RunChoice(sort=Column("lr", "lr", Kind.VALUE, Source.PARAMS, "lr"))
            assert len(queries.run_rows(sweep, choice, limit=100).items) == min(count, 100)
        with django_assert_num_queries(1):
            assert len(queries.curves_of(sweep, "accuracy")) == count
        with django_assert_num_queries(3):
            view = queries.chart_view(sweep)
        assert (len(view.runs), view.best_number) == (count, count - 1)
        assert [interval for interval, _ in view.limits] == [1, 2, 3]
        with django_assert_num_queries(4):  # sweep, log, runs, chunks
            _, events = queries.events_after(sweep, 9, limit=5000)
        assert sum(event["type"] == "run" for event in events) == count


def test_the_log_is_read_newest_first_by_kind_and_page():
    sweep = make_sweep(max_concurrent_runs=4)
    report(make_running_run(sweep), [0.5])
    make_running_run(sweep)

    page = queries.log_of_sweep(sweep, limit=3)
    rest = queries.log_of_sweep(sweep, cursor=int(page.next_cursor), limit=100)

    cursors = [line.cursor for line in [*page.items, *rest.items]]
    assert cursors == sorted(cursors, reverse=True)
    assert len(cursors) == page.total == Event.objects.filter(sweep=sweep).count()
    (best,) = queries.log_of_sweep(sweep, kind="best").items
    assert (best.run_number, best.message) == (
        0,
        "Run 0 leads with accuracy 0.5 at interval 1.",
    )


def test_the_best_model_tells_where_its_values_lie():
    space = {
        "lr": "loguniform(-9.210340371976182, 0)",
        "momentum": "uniform(0, 1)",
        "solver": 'choice("sgd", "adam")',
    }
    sweep = make_sweep(search_space=space)
    assert queries.best_model(sweep) is None
    run = make_running_run(sweep, lr=0.01, momentum=1.0, solver="adam")
    report(run, [0.5])
    add_artifacts(run.pk, [("outputs/model.pkl", 3, "")])
    sweep.refresh_from_db()

    best = queries.best_model(sweep)

    assert (best.run, best.value, best.rank_of) == (run, 0.5, 1)
    assert best.command == ["python", "train.py", *run.arguments]
    assert [a.path for a in best.artifacts] == ["outputs/model.pkl"]
    lr, momentum, solver = best.values
    assert (lr.name, lr.scale, lr.position.edge) == ("lr", "log", 0)
    assert lr.position.place == pytest.approx(0.5)
    assert (momentum.position.place, momentum.position.words) == (1.0, "at the upper bound")
    assert (solver.position.place, solver.position.words) == (1.0, "option 2 of 2")


def test_the_watchdog_finds_what_waits_and_what_is_silent():
    sweep = make_sweep()
    ended = make_sweep(max_total_runs=1)
    cancel_sweep(ended, user=make_user())
    live = make_running_run(sweep)
    make_run(sweep)
    later = timezone.now() + timedelta(minutes=1)

    assert list(queries.active_sweeps()) == [sweep]
    assert asking_targets(later) == [Asking(sweep.compute_id, 1)]
    assert list(queries.expired_runs(timezone.now())) == []
    assert list(queries.expired_runs(later)) == [live]
