"""Generated learning curves and the faults of simulated runs: seeded, and shaped as named."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.learning_curves import FAMILIES, as_score, learning_curve
from runner.compute.simulated import Faults, Trace, with_faults


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_same_seed_and_number_give_the_same_curve(family):
    one, same, other = (
        learning_curve(family, 0.5, 100, seed=1, number=number) for number in (7, 7, 8)
    )

    assert one.shape == (100,)
    assert np.array_equal(one, same, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)


def test_a_power_law_falls_and_better_configurations_end_lower():
    good, bad = (learning_curve("power_law", q, 200, seed=1, number=0) for q in (0.9, 0.2))

    assert good[:10].mean() > good[50:100].mean() > good[-20:].mean()
    assert good[-20:].mean() < bad[-20:].mean()


def test_crossing_curves_change_places():
    good, bad = (learning_curve("crossing", q, 200, seed=1, number=0) for q in (0.9, 0.3))

    assert good[60:80].mean() > bad[60:80].mean()
    assert good[-20:].mean() < bad[-20:].mean()


def test_a_diverging_curve_grows_and_is_nan_to_its_end():
    values = learning_curve("diverging", 0.5, 100, seed=1, number=0)

    (first_nan, *_) = np.flatnonzero(np.isnan(values))
    assert np.isnan(values[first_nan:]).all()
    assert values[first_nan - 1] > 100 * values[:20].max()


def test_a_loss_becomes_a_score():
    assert as_score(np.array([0.25, np.nan])).tolist()[0] == 0.75


@pytest.mark.parametrize("reports", [1, 2, 3])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_shortest_curves_exist(family, reports):
    assert learning_curve(family, 0.5, reports, seed=0, number=0).shape == (reports,)


def script(params, number, attempt):
    """Return ten reports that end well."""
    return Trace([0.1] * 10)


def kind_of(trace: Trace) -> str:
    """Name the fault of a trace by what it shows."""
    if trace.is_lost:
        return "lost"
    if trace.signal:
        return "preempted"
    if trace.exit_code:
        return "crash"
    if not len(trace.values):
        return "never_logs"
    return "nan" if np.isnan(trace.values).any() else "none"


def test_each_fault_has_its_share_of_the_runs():
    faults = Faults(seed=1, crash=0.1, nan=0.1, never_logs=0.1, preempted=0.1, lost=0.1)
    faulty = with_faults(script, faults)

    kinds = [kind_of(faulty({}, number, 1)) for number in range(2000)]

    # A share of 0.1 of 2000 lies outside of 140..260 once in 100 000 times; NaN may come too late.
    for kind in ("crash", "never_logs", "preempted", "lost"):
        assert 140 < kinds.count(kind) < 260, kind
    assert 120 < kinds.count("nan") < 260
    assert kinds == [kind_of(faulty({}, number, 1)) for number in range(2000)]


def test_a_repetition_is_drawn_anew():
    faulty = with_faults(script, Faults(seed=1, crash=0.5))

    attempts = [[kind_of(faulty({}, n, attempt)) for n in range(50)] for attempt in (1, 2)]

    assert attempts[0] != attempts[1]


@pytest.mark.parametrize("shares", [{"crash": -0.1}, {"crash": 0.6, "lost": 0.6}])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="at most 1 in all"):
        with_faults(script, Faults(**shares))
