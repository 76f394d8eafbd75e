"""Sweeps side by side: who is asked for, exact times of the leads, as many queries for eight."""

from datetime import timedelta

import numpy as np
import pytest

from experiments import clock
from experiments.models import Run, Sweep
from experiments.queries.compared import asked_sweeps, comparable_sweeps, refusal_of
from experiments.queries.comparison import Comparison
from experiments.services.outcome import RunOutcome
from tests.factories import make_sweep, make_user, make_workspace, report
from tests.web.sweep_world import end, many_runs, start

pytestmark = pytest.mark.django_db

OF_LOSS = {"primary_metric": {"name": "loss", "goal": "minimize"}}


@pytest.fixture
def alice():
    return make_user("alice")


def make_ended(alice, values=(0.3, 0.8, 0.5), **spec):
    sweep = make_sweep(owner=alice, max_total_runs=100, **spec)
    many_runs(sweep, values)
    return Sweep.objects.select_related("best_run", "experiment").get(pk=sweep.pk)


def ask(user, *ids):
    return asked_sweeps(user, ",".join(ids))


def compared(user, *ids):
    return Comparison(ask(user, *ids).placed, clock.now())


def test_address_keeps_places_over_gaps_and_names_what_is_missing(alice):
    first, second = make_ended(alice), make_ended(alice)

    asked = ask(alice, "", first.public_id, "HD_nobody", second.public_id, first.public_id, "")

    assert [(p.place, p.sweep) for p in asked.placed] == [(1, first), (3, second)]
    assert asked.missing == ("HD_nobody",)
    assert asked.slots == ("", first.public_id, "", second.public_id)


def test_sweeps_of_other_workspaces_are_missing(alice):
    sweep = make_ended(alice)
    charlie = make_user("charlie")
    make_workspace(charlie, name="Elsewhere")

    asked = ask(charlie, sweep.public_id)

    assert (asked.placed, asked.missing) == ((), (sweep.public_id,))
    assert comparable_sweeps(charlie, asked) == []


def test_other_metrics_and_more_than_eight_are_refused_with_a_sentence(alice):
    sweep = make_ended(alice, name="good")
    other = make_sweep(owner=alice, name="bad", **OF_LOSS)

    mixed = refusal_of(ask(alice, sweep.public_id, other.public_id))
    many = refusal_of(ask(alice, *(f"HD_{n}" for n in range(9))))

    assert mixed == (
        "“good” maximizes accuracy and “bad” minimizes loss: "
        "only sweeps of one primary metric and goal can be compared."
    )
    assert many.startswith("9 sweeps are too many to tell apart: compare 2 to 8.")
    assert comparable_sweeps(alice, ask(alice, other.public_id)) == []


def test_lead_is_dated_by_its_report_and_not_by_the_end_of_the_run(alice):
    sweep = make_sweep(owner=alice)
    run = start(sweep, lr=0.1, layers=1)
    # Reports are a second apart, the last one is no better.
    report(run, [0.1, 0.9, 0.4])
    end(run, RunOutcome(exit_code=0))
    run.refresh_from_db()
    chunk = run.series.get(name="accuracy").chunks.get()
    began = Run.objects.get(pk=run.pk).started_at.timestamp()

    chunk.times = np.array([began + 1, began + 2, began + 3]).tobytes()
    chunk.save()
    Run.objects.filter(pk=run.pk).update(ended_at=clock.now() + timedelta(seconds=10))

    (figures,) = compared(alice, sweep.public_id).figures()

    zero = Sweep.objects.get(pk=sweep.pk).started_at.timestamp()
    assert figures.time_to_best == pytest.approx(began + 2 - zero)
    assert figures.compute_to_best == pytest.approx(2, abs=0.01)


def test_figures_tell_runs_values_and_the_best_of_all(alice):
    good, poor = make_ended(alice), make_ended(alice, values=(0.2, 0.1))
    end(start(poor, lr=0.5, layers=1), RunOutcome(exit_code=1, error_line="ValueError: no"))

    first, second = compared(alice, good.public_id, poor.public_id).figures()

    # The controller has filled the slots that became free.
    assert first.runs == good.runs.count()
    assert (first.with_value, first.median, first.failed) == (3, 0.5, 0)
    assert (second.with_value, second.failed) == (2, 1)
    assert (first.is_best, second.is_best) == (True, False)
    assert (first.runs_to_best, second.runs_to_best) == (2, 1)


def test_sweep_without_runs_stands_beside_others(alice):
    full, empty = make_ended(alice), make_sweep(owner=alice, is_running=False)

    comparison = compared(alice, full.public_id, empty.public_id)

    figures = comparison.figures()[1]
    assert (figures.runs, figures.time_to_best, figures.median) == (0, None, None)
    assert comparison.view(with_params=True).sweeps[1].values.size == 0


def test_eight_sweeps_take_as_many_queries_as_two(alice, django_assert_num_queries):
    sweeps = [make_ended(alice, values=[n / 10 for n in range(count)]) for count in range(2, 10)]

    for some in (sweeps[:2], sweeps):
        ids = [sweep.public_id for sweep in some]
        # The sweeps, their runs, times of reports, hyperparameters.
        with django_assert_num_queries(4):
            comparison = compared(alice, *ids)
            assert len(comparison.figures()) == len(comparison.view(with_params=True).sweeps)
