"""Runs at equal budgets: who is compared, how the top changes, which delay would have kept it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.budget_words import advice_words, standing_words
from experiments.equal_budget import EqualBudget, Spent, seconds_since


def spent(number, values, *, is_done=True, is_live=False, at=None):
    places = np.arange(1.0, len(values) + 1) if at is None else np.array(at, float)
    return Spent(number, places, np.array(values, float), is_done, is_live)


def everybody(*runs, goal="maximize", is_seconds=False):
    return EqualBudget(goal, runs, is_seconds=is_seconds)


def late_winner():
    """Six runs; run 5 wins after being among the last three for three reports."""
    steady = [spent(n, [0.5 - n / 100] * 6) for n in range(5)]
    return everybody(*steady, spent(5, [0.1, 0.2, 0.3, 0.49, 0.6, 0.7]))


def test_runs_are_ranked_by_their_best_at_the_same_number_of_reports():
    found = everybody(
        spent(0, [0.9, 0.1, 0.1]), spent(1, [0.2, 0.95]), spent(2, [0.3], is_done=False)
    )

    two = found.at(2)

    assert [(run.number, run.rank, run.value) for run in two.placed] == [(1, 1, 0.95), (0, 2, 0.9)]
    assert (two.ended, two.behind) == (1, 0)
    # A run that completed earlier keeps its best.
    assert [run.number for run in found.at(3).placed] == [1, 0]
    assert [run.number for run in found.at(1).placed] == [0, 2, 1]


def test_minimize_and_missing_values_are_told_apart():
    found = everybody(
        spent(0, [math.nan, 0.5]),
        spent(1, [0.4, 0.4]),
        spent(2, [0.3], is_done=False, is_live=True),
        goal="minimize",
    )

    one, two = found.at(1), found.at(2)

    assert [run.number for run in one.placed] == [2, 1]
    assert one.valueless == 1
    assert [run.number for run in two.placed] == [1, 0]
    assert two.behind == 1
    assert standing_words(two, "reports") == "2 runs compared at 2 reports; 1 not there yet."


def test_final_top_says_where_it_stood():
    found = late_winner()

    rows = found.final_top(1, found.at(2))

    assert [(row.number, row.rank, row.rank_then, row.compared) for row in rows] == [(5, 1, 6, 6)]


def test_delay_is_the_first_budget_after_the_last_danger():
    advice = late_winner().foretold(1)[1]

    assert (advice.delay, advice.last_danger, advice.endangered) == (4.0, 3.0, 5)
    assert (advice.rank, advice.compared) == (6, 6)
    words = advice_words(advice, "reports", 2)
    assert words.sentence == "A delay of 4 reports would have kept the final best (run 5)."
    assert words.why == (
        "At 3 reports run 5 was 6 of 6, in the worse half; from 4 reports on none of them was. "
        "The policy of this sweep waits for 2: too short."
    )


def test_delay_agrees_with_a_policy_that_stops_the_worse_half():
    # The rule said again, one budget and one run at a time.
    rng = np.random.default_rng(3)
    curves = {n: np.maximum.accumulate(rng.random(12)) for n in range(20)}
    found = EqualBudget(
        "maximize", [spent(n, values) for n, values in curves.items()], is_seconds=False
    )
    top = sorted(curves, key=lambda n: -curves[n][-1])[:3]
    dangers = [0]
    for budget in range(1, 13):
        now = {n: values[budget - 1] for n, values in curves.items()}
        for n in top:
            if 1 + sum(value > now[n] for value in now.values()) > 20 - 10:
                dangers.append(budget)

    assert found.top(3) == top
    assert found.foretold(3)[1].delay == (max(dangers) + 1 if max(dangers) else 0)


def test_no_advice_without_enough_completed_runs():
    advice = everybody(*(spent(n, [0.1 * n]) for n in range(5))).foretold(3)[1]

    assert advice.delay is None
    assert "needs 6 completed runs" in advice_words(advice, "reports", None).sentence


def test_agreement_ends_at_one():
    agreement = late_winner().foretold(1)[0]

    assert agreement.budgets.tolist() == [1, 2, 3, 4, 5, 6]
    assert agreement.correlation[-1] == pytest.approx(1.0)
    assert agreement.correlation[0] < 0.5
    assert agreement.kept.tolist() == [0, 0, 0, 0, 1, 1]


def test_seconds_count_from_the_start_of_each_run():
    slow = spent(0, [0.9], at=seconds_since([130.0], 100.0))
    quick = spent(1, [0.5, 0.6], at=seconds_since([205.0, 210.0], 200.0))
    found = everybody(slow, quick, is_seconds=True)

    assert [run.number for run in found.at(10).placed] == [1]
    assert [run.number for run in found.at(30).placed] == [0, 1]
    assert found.largest == 30


def test_nothing_to_compare_is_no_error():
    found = everybody()

    assert found.at(1).placed == []
    assert found.foretold(3)[0].budgets.size == 0
    words = advice_words(found.foretold(3)[1], "reports", None)
    assert words.why == "No run has completed so far."
