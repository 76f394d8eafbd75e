"""The strip of values on the best-model page: bars, ends, what is worse than everything shown."""

import math

import pytest

from experiments.value_strip import BARS, strip_of


@pytest.mark.parametrize(("goal", "sign"), [("maximize", 1), ("minimize", -1)])
def test_strip_runs_from_worse_to_better_and_keeps_outliers_at_its_end(goal, sign):
    values = [sign * value for value in [*range(100), -1e9]]

    strip = strip_of(values, goal)

    assert strip is not None
    assert sum(strip.counts) == 101
    assert strip.best == sign * 99
    assert strip.worst == sign * 9
    assert strip.beyond == 10
    assert strip.place(sign * -1e9) == 0
    assert strip.place(sign * 54) == pytest.approx(0.5)
    assert strip.counts[0] > 10
    assert strip.counts[BARS - 1] == 2


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0] * 9, [math.nan, math.inf, 1.0, 2.0]])
def test_strip_of_too_little_is_none(values):
    assert strip_of(values, "maximize") is None
