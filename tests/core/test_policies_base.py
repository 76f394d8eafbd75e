"""What all policies share: settings and their problems, sentences, summaries, the limit line."""

from __future__ import annotations

import math

import pytest

from experiments.curves import CurveSet
from experiments.policies import load_policy, make_policy
from experiments.policies.base import Case, RunCurve, Snapshot, comparison_text, is_worse
from experiments.policies.fields import FieldSpec, check_fields
from experiments.policies.no_termination import NoTermination
from experiments.problems import Problem, ProblemsError

PATH = "early_termination"


def check(name, **config):
    return [(p.path, p.message) for p in load_policy(name).check(config, PATH)]


def decide(config, goal, runs, *, run, interval):
    curves = [RunCurve(number, values) for number, values in runs.items()]
    return make_policy(config).decide(Snapshot.of(goal, curves, run=run, interval=interval))


def test_make_policy_without_a_config_stops_nothing():
    assert make_policy(None).name == "none"
    assert make_policy({}).name == "none"


def test_make_policy_refuses_an_unknown_type():
    with pytest.raises(KeyError, match="hyperband"):
        make_policy({"type": "hyperband"})


def test_policy_constructor_reports_every_problem_at_once():
    with pytest.raises(ProblemsError) as caught:
        make_policy({"type": "bandit", "evaluation_interval": 0, "delay_evaluation": -1})

    assert [p.path for p in caught.value.problems] == [
        "bandit.evaluation_interval",
        "bandit.delay_evaluation",
        "bandit.slack_factor",
    ]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"evaluation_interval": 0}, "evaluation_interval is 0; use a whole number of at least 1."),
        ({"evaluation_interval": -2}, "evaluation_interval is -2; use a whole number"),
        ({"evaluation_interval": 2.0}, "evaluation_interval is 2.0; use a whole number"),
        ({"evaluation_interval": True}, "evaluation_interval is True; use a whole number"),
        ({"evaluation_interval": "1"}, "evaluation_interval is '1'; use a whole number"),
        ({"evaluation_interval": 10**400}, "; use a whole number of at least 1."),
        ({"delay_evaluation": -1}, "delay_evaluation is -1; use a whole number of at least 0."),
        ({"delay_evaluation": math.nan}, "delay_evaluation is nan; use a whole number"),
        ({"delay_evaluation": False}, "delay_evaluation is False; use a whole number"),
        ({"delay_evalution": 1}, "'delay_evalution' is not a setting of this policy. Did you mean"),
        ({"patience": 3}, "'patience' is not a setting of this policy. Use evaluation_interval, "),
    ],
)
def test_check_names_path_value_and_what_is_allowed(config, message):
    [(path, text)] = check("median_stopping", **config)

    assert path == f"{PATH}.{next(iter(config))}"
    assert message in text


def test_check_shows_only_the_start_of_a_long_value():
    [(_, text)] = check("median_stopping", delay_evaluation="x" * 1000)

    assert text == f"delay_evaluation is '{'x' * 58}…; use a whole number of at least 0."


def test_check_fields_of_an_unbounded_number():
    field = FieldSpec(name="level", kind="float", label="Level", help="Any number.")

    assert check_fields([field], {"level": 3}, "p") == []
    [problem] = check_fields([field], {"level": "high"}, "p")
    assert problem.message == "level is 'high'; use a finite number."


def test_check_treats_null_as_left_out():
    assert check("median_stopping", evaluation_interval=None, delay_evaluation=None) == []
    assert make_policy({"type": "median_stopping", "evaluation_interval": None}).is_due(1)


def test_check_of_no_policy_refuses_settings():
    assert check("none", slack_factor=1) == [
        (
            f"{PATH}.slack_factor",
            "'slack_factor' is not a setting here; this policy has none. Remove it.",
        )
    ]


def test_problems_error_prints_one_problem_a_line():
    error = ProblemsError([Problem("a", "Wrong."), Problem("b.c", "Too large.")])

    assert str(error) == "a: Wrong.\nb.c: Too large."
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("config", "summary"),
    [
        (None, "No early termination"),
        (
            {
                "type": "bandit",
                "slack_factor": 0.1,
                "evaluation_interval": 2,
                "delay_evaluation": 5,
            },
            "Bandit, slack factor 0.1, every 2 from 6",
        ),
        ({"type": "bandit", "slack_amount": 0.2}, "Bandit, slack amount 0.2, every interval"),
        (
            {"type": "median_stopping", "delay_evaluation": 5},
            "Median stopping, every interval from 5",
        ),
        (
            {
                "type": "truncation_selection",
                "truncation_percentage": 20,
                "evaluation_interval": 10,
                "exclude_finished_jobs": True,
            },
            "Truncation selection, worst 20 %, without finished runs, every 10 from 10",
        ),
    ],
)
def test_summary_says_rule_and_timing(config, summary):
    assert make_policy(config).summary() == summary


def test_decide_explains_why_a_run_is_spared():
    config = {"type": "median_stopping", "evaluation_interval": 2, "delay_evaluation": 3}
    runs = {0: [0.9, 0.9, 0.9, 0.9], 1: [0.1, 0.1], 2: [math.nan, math.inf, math.nan, math.nan]}

    def reason(run, interval):
        return decide(config, "maximize", runs, run=run, interval=interval).reason

    title = "median stopping policy at interval"
    assert reason(1, 2) == f"{title} 2: not applied here; it is applied every 2 from 4"
    assert reason(1, 4) == f"{title} 4: run 1 has made only 2 of 4 reports"
    assert (
        reason(2, 4) == f"{title} 4: run 2 has no finite value yet, and such a run is not stopped"
    )


def test_decide_spares_a_finished_run():
    runs = [RunCurve(0, [0.9]), RunCurve(1, [0.1], "finished")]

    decision = make_policy({"type": "bandit", "slack_factor": 0}).decide(
        Snapshot.of("maximize", runs, run=1, interval=1)
    )

    assert not decision.stop
    assert decision.reason == "bandit policy at interval 1: run 1 has already finished"
    assert decision.own is None


def test_no_termination_says_that_it_never_applies():
    decision = decide(None, "minimize", {0: [1.0], 1: [9.0]}, run=1, interval=1)

    assert decision.reason == "no policy at interval 1: every run goes on to its end"


def test_no_termination_lets_every_case_go_on():
    runs = Snapshot.of("minimize", [RunCurve(0, [1.0]), RunCurve(1, [9.0])], run=1, interval=1)
    case = Case(runs, own=9.0, best=runs.curves.best_at(1), leader=0, leader_value=1.0)

    assert not NoTermination().judge(case).stop


def test_is_worse_takes_binary_dust_for_a_tie():
    assert 0.8 - 0.2 > 0.6
    assert not is_worse("maximize", 0.6, 0.8 - 0.2, scale=0.8)
    assert not is_worse("maximize", 0.0, 0.1 + 0.2 - 0.3, scale=0.3)
    assert is_worse("maximize", 0.6 - 1e-9, 0.8 - 0.2, scale=0.8)
    assert is_worse("minimize", 0.6 + 1e-9, 0.6, scale=0.6)


@pytest.mark.parametrize(
    ("own", "limit", "shown"),
    [
        (0.61, 2 / 3, ("0.61", "0.667")),
        (0.6668, 0.66672, ("0.6668", "0.6667")),
        (0.66674, 0.66672, ("0.66674", "0.66672")),
        (0.5, 0.5, ("0.5", "0.5")),
        (1e-9, 2e-9, ("1e-09", "2e-09")),
        (1.0, 1.0 + 2**-52, ("1", "1.0000000000000002")),
    ],
)
def test_comparison_text_shows_the_difference(own, limit, shown):
    assert comparison_text(own, limit) == shown


def test_limit_line_stands_at_due_intervals_some_run_has_reached():
    curves = CurveSet("maximize")
    curves.append(0, [0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0])
    curves.append(1, [0.9])
    policy = make_policy(
        {"type": "bandit", "slack_amount": 0.1, "evaluation_interval": 2, "delay_evaluation": 3}
    )

    line = policy.limit_line("maximize", curves)

    assert line == [(4, pytest.approx(0.8)), (6, pytest.approx(0.9))]


def test_limit_line_of_long_curves_is_cut():
    curves = CurveSet("minimize")
    curves.append(0, [1.0] * 1000)

    line = make_policy({"type": "median_stopping"}).limit_line("minimize", curves)

    assert len(line) == 200
    assert line[0] == (1, 1.0)


def test_limit_line_is_empty_where_a_policy_has_no_value():
    curves = CurveSet("minimize")
    curves.append(0, [1.0, 2.0])
    truncation = make_policy({"type": "truncation_selection", "truncation_percentage": 50})

    assert truncation.limit_line("minimize", curves) == []
    assert make_policy(None).limit_line("minimize", CurveSet("minimize")) == []
