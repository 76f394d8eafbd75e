"""Best, last and at a step: which value is read, what it is called, who is best by it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.problems import ProblemsError
from experiments.readings import BEST, LAST, Reading, best_number, in_order, read_reading, value_at

NAN = math.nan


@pytest.mark.parametrize(
    ("text", "step", "reading", "label"),
    [
        ("", "", BEST, "best"),
        ("best", "", BEST, "best"),
        ("last", "", LAST, "last"),
        ("step:20", "", Reading("step", 20.0), "at step 20"),
        ("step:0.5", "", Reading("step", 0.5), "at step 0.5"),
        ("step", "1e3", Reading("step", 1000.0), "at step 1000"),
    ],
)
def test_reading_is_read_from_an_address_and_written_back(text, step, reading, label):
    found = read_reading(text, step)

    assert (found, found.label) == (reading, label)
    assert read_reading(found.key) == found


@pytest.mark.parametrize(
    "text", ["worst", "step", "step:", "step:x", "step:nan", "last:3", "best:"]
)
def test_wrong_reading_is_refused_with_what_is_allowed(text):
    with pytest.raises(ProblemsError, match=r"reading.*(step:20)"):
        read_reading(text)


@pytest.mark.parametrize(
    ("steps", "values", "step", "found"),
    [
        (None, [0.1, 0.5, 0.3], 2, 0.5),
        (None, [0.1, 0.5, 0.3], 4, None),
        (None, [0.1, NAN, 0.3], 2, None),
        ([0, 10, 19, 30], [0.1, 0.2, 0.3, 0.4], 20, 0.3),
        ([0, 10, 19, 30], [0.1, 0.2, 0.3, 0.4], 31, None),
        ([10, 20], [0.1, 0.2], 5, None),
        ([20, 10, 20], [0.1, 0.2, 0.3], 20, 0.3),
        ([NAN, 10, 20], [0.9, 0.2, 0.3], 15, 0.2),
        ([NAN], [0.9], 1, None),
    ],
)
def test_value_at_a_step_is_the_last_up_to_it_of_a_run_that_got_there(steps, values, step, found):
    at = None if steps is None else np.array(steps, float)

    assert value_at(at, np.array(values), step) == found


def test_best_run_and_order_go_by_the_values_that_were_read():
    values = {0: 0.4, 1: None, 2: 0.9, 3: 0.9, 4: 0.1}

    assert best_number(values, "maximize") == 2
    assert best_number(values, "minimize") == 4
    assert best_number({1: None}, "maximize") is None
    assert in_order(list(values), values, descending=True) == [2, 3, 0, 4, 1]
    assert in_order(list(values), values, descending=False) == [4, 0, 2, 3, 1]
