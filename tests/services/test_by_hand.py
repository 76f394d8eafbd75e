"""Configurations queued by hand: next, counted, asked about when outside the space."""

from __future__ import annotations

import pytest

from experiments.problems import ProblemsError
from experiments.services.by_hand import queue_by_hand
from experiments.services.refused import Refused
from tests.executed import CHOICES, numbers, work, work_all
from tests.factories import make_user
from tests.services.live_sweeps import started

pytestmark = pytest.mark.django_db


def test_a_configuration_by_hand_is_next_counts_and_moves_no_sample():
    def sampled(*, by_hand: bool) -> list:
        sweep = started(max_total_runs=5, max_concurrent_runs=1)
        if by_hand:
            run = queue_by_hand(sweep, {"layers": 3, "lr": 0.5}, user=make_user())
            assert (run.number, run.origin, run.state) == (1, "hand", "NotStarted")
            assert run.note == "Queued by hand by alice."
            assert run.arguments == ["--lr", "0.5", "--layers", "3"]
            work(sweep.runs.get(number=0))
            assert numbers(sweep, "Queued") == [1]
        sweep = work_all(sweep)
        assert (sweep.state, sweep.sampled) == ("Completed", 5)
        rows = sweep.runs.filter(origin="sampler").order_by("number")
        return list(rows.values_list("params", flat=True))

    assert sampled(by_hand=True) == sampled(by_hand=False)[:4]


@pytest.mark.parametrize("sampling", ["random", "sobol", "grid"])
def test_samplers_do_not_repeat_what_was_queued_by_hand(sampling):
    sweep = started(
        search_space=CHOICES, sampling=sampling, max_total_runs=20, max_concurrent_runs=1
    )
    taken = sweep.runs.get(number=0).params
    mine = next(
        {"lr": lr, "layers": layers}
        for lr in (0.1, 0.2, 0.3)
        for layers in (1, 2)
        if {"lr": lr, "layers": layers} != taken
    )
    queue_by_hand(sweep, mine, user=make_user())

    sweep = work_all(sweep)

    tried = [tuple(sorted(run.params.items())) for run in sweep.runs.all()]
    assert len(tried) == len(set(tried)) == 6
    assert (sweep.state, sweep.end_reason) == ("Completed", "space_exhausted")
    assert sweep.reason.startswith(
        "Every configuration of the search space was run; one run was queued by hand "
        "(max_total_runs is 20)."
    )


def test_a_value_outside_the_space_is_asked_about_not_refused():
    sweep = started()

    with pytest.raises(ProblemsError) as caught:
        queue_by_hand(sweep, {"lr": 2.0, "layers": 9}, user=make_user())

    assert [(p.path, p.message) for p in caught.value.problems] == [
        (
            "params.lr",
            'lr is 2.0, outside uniform(0.0, 1.0). Send "outside": true to run it all the same.',
        ),
        (
            "params.layers",
            'layers is 9, outside choice(1, 2, 3). Send "outside": true to run it all the same.',
        ),
    ]
    assert numbers(sweep) == [0, 1]
    params = {"lr": 2.0, "layers": 9}
    run = queue_by_hand(sweep, params, user=make_user(), may_be_outside=True)
    assert run.params == params
    assert run.note.endswith("layers is 9, outside choice(1, 2, 3).")
    assert work_all(sweep).state == "Completed"


@pytest.mark.parametrize("may_be_outside", [False, True])
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, {"params": "params is None; give a mapping of hyperparameters to values."}),
        ({"lr": 0.1}, {"params.layers": "layers is missing; give every value."}),
        (
            {"lr": "fast", "layers": 1, "layer": 2},
            {
                "params.layer": 'The search space has no "layer". Did you mean layers?',
                "params.lr": 'lr is "fast"; use a number.',
            },
        ),
        ({"lr": True, "layers": 1}, {"params.lr": "lr is True; use a number."}),
        ({"lr": 0.1, "layers": "two"}, {"params.layers": 'layers is "two"; use a number.'}),
        (
            {"lr": float("nan"), "layers": 1},
            {"params.lr": "lr is nan, which is not a finite number."},
        ),
    ],
)
def test_wrong_names_and_kinds_are_refused_whatever_was_said(params, expected, may_be_outside):
    sweep = started()

    with pytest.raises(ProblemsError) as caught:
        queue_by_hand(sweep, params, user=make_user(), may_be_outside=may_be_outside)

    assert {p.path: p.message for p in caught.value.problems} == expected
    assert numbers(sweep) == [0, 1]


def test_nothing_is_queued_beyond_the_total_or_after_the_end():
    sweep = started(max_total_runs=1)
    values = {"lr": 0.5, "layers": 1}

    with pytest.raises(ProblemsError, match="All 1 runs of max_total_runs have been created"):
        queue_by_hand(sweep, values, user=make_user())

    work(sweep.runs.get(number=0))
    with pytest.raises(Refused, match="has ended"):
        queue_by_hand(sweep, values, user=make_user())
    assert numbers(sweep) == [0]
