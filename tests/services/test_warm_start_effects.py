"""What a warm start changes: the sampler's history, the policy's comparisons, the first runs."""

from __future__ import annotations

import pytest

from experiments import queries
from experiments.curves import CurveSet
from experiments.models import Decision, Event, Run, Sweep
from experiments.samplers.base import Observation
from experiments.services.advance import advance_sweep
from experiments.services.retries import retry_run
from experiments.services.runs import RunOutcome, finish_run, lose_run, start_run
from experiments.services.sweep_history import history_of, look_at
from experiments.services.termination import SweepCurves, apply_policy
from experiments.spec import SweepSpec
from tests.earlier_sweeps import make_ended_sweep, run_of
from tests.factories import SPEC, claim, make_running_run, make_sweep, make_user, report

pytestmark = pytest.mark.django_db
BANDIT = {"type": "bandit", "slack_factor": 0.2}


def judge(run: Run):
    """Let the policy judge a run as its executor does."""
    run.refresh_from_db()
    spec = SweepSpec.from_stored(run.sweep.spec)
    return apply_policy(run.pk, run.fence, curves=SweepCurves(run.sweep_id), spec=spec)


def resuming_sweep(folder, *numbers: int, **spec) -> tuple[Sweep, Sweep]:
    """Return a sweep that resumes these runs of an ended sweep, and that one."""
    earlier = make_ended_sweep([0.5], [0.6], [0.7], folder=folder)
    ids = [f"{earlier.public_id}_{n}" for n in numbers]
    sweep = make_sweep(is_running=False, resume_child_runs=ids, **spec)
    advance_sweep(sweep.pk)
    sweep.refresh_from_db()
    return sweep, earlier


def test_sampler_sees_the_runs_of_all_earlier_sweeps_in_order():
    first = make_ended_sweep([0.1, 0.5], [0.4], name="first")
    second = make_ended_sweep([], name="second", exit_code=1)
    sweep = make_sweep(resume_from=[second.public_id, first.public_id])
    make_running_run(sweep, lr=0.9, layers=3)

    history = history_of(sweep, look_at(sweep))

    assert history.prior == [
        Observation(-3, {"lr": 0.1, "layers": 1}, None, "failed"),
        Observation(-2, {"lr": 0.1, "layers": 1}, 0.5, "completed"),
        Observation(-1, {"lr": 0.2, "layers": 1}, 0.4, "completed"),
    ]
    assert [o.number for o in history.observations] == [0]


def test_history_of_a_sweep_without_a_warm_start_costs_no_query_more(django_assert_num_queries):
    plain, warm = make_sweep(), make_sweep(resume_from=[make_ended_sweep([0.5]).public_id])

    with django_assert_num_queries(1):
        assert look_at(plain).prior == ()
    with django_assert_num_queries(3):
        assert len(look_at(warm).prior) == 1


def test_random_sampling_is_the_same_with_and_without_a_warm_start():
    earlier = make_ended_sweep([0.5])
    plain, warm = (
        make_sweep(is_running=False, resume_from=ids) for ids in ([], [earlier.public_id])
    )

    for sweep in (plain, warm):
        advance_sweep(sweep.pk)

    params = [
        list(s.runs.order_by("number").values_list("params", flat=True)) for s in (plain, warm)
    ]
    assert params[0] == params[1] != []


def test_bayesian_sampling_learns_from_earlier_runs_at_once():
    space = {"lr": "uniform(0.0, 1.0)"}
    # Every tenth of the range was tried; the metric peaks at 0.6.
    values = [[1 - abs(0.1 * (n + 1) - 0.6)] for n in range(9)]
    earlier = make_ended_sweep(*values, search_space=space, sampling="bayesian")
    spec = {"search_space": space, "sampling": {"type": "bayesian", "seed": 1}}
    warm, cold = (
        make_sweep(is_running=False, resume_from=ids, max_concurrent_runs=1, **spec)
        for ids in ([earlier.public_id], [])
    )

    for sweep in (warm, cold):
        advance_sweep(sweep.pk)

    assert abs(warm.runs.get().params["lr"] - 0.6) < 0.2
    assert warm.runs.get().note != cold.runs.get().note
    assert cold.runs.get().params != warm.runs.get().params


def test_warm_start_that_changes_nothing_is_warned_about():
    earlier = make_ended_sweep()
    raw = {**SPEC, "resume_from": [earlier.public_id]}

    assert SweepSpec.parse(raw).warnings() == [
        "resume_from changes no run: Random sampling does not learn from earlier sweeps, "
        "and there is no early_termination to compare with them."
    ]
    assert SweepSpec.parse({**raw, "early_termination": BANDIT}).warnings() == []
    bayesian = SweepSpec.parse({**raw, "sampling": "bayesian", "max_total_runs": 40})
    assert not any("resume_from" in warning for warning in bayesian.warnings())


def test_bandit_compares_with_the_best_of_earlier_sweeps_and_names_it():
    earlier = make_ended_sweep([0.2], [0.7, 0.8], name="before")
    sweep = make_sweep(early_termination=BANDIT, resume_from=[earlier.public_id])
    run = make_running_run(sweep)
    report(run, [0.66, 0.66])

    decision = judge(run)

    leader = f'run 1 of the earlier sweep "before" ({earlier.public_id[:11]})'
    assert decision.stop
    assert decision.reason == (
        f"bandit policy at interval 2: best 0.66 < 0.8 / (1 + 0.2) = 0.667 of {leader}"
    )
    stored = Decision.objects.get(run=run)
    assert (stored.leader, stored.leader_value) == (None, 0.8)
    assert Event.objects.get(run=run, kind="decision").payload["leader"] is None


def test_bandit_without_a_warm_start_lets_the_same_run_go_on():
    run = make_running_run(make_sweep(early_termination=BANDIT))
    report(run, [0.66, 0.66])

    assert not judge(run).stop


def test_earlier_runs_count_only_up_to_the_interval():
    earlier = make_ended_sweep([0.66, 0.99])
    sweep = make_sweep(early_termination=BANDIT, resume_from=[earlier.public_id])
    run = make_running_run(sweep)
    report(run, [0.66])

    decision = judge(run)

    assert not decision.stop
    assert decision.leader_value == 0.66


def test_median_is_taken_over_earlier_runs_as_well():
    earlier = make_ended_sweep([0.9], [0.7])
    sweep = make_sweep(early_termination="median_stopping", resume_from=[earlier.public_id])
    run = make_running_run(sweep)
    report(run, [0.5])

    decision = judge(run)

    assert decision.stop
    assert decision.reason == (
        "median stopping policy at interval 1: best 0.5 < 0.7, "
        "the median of the running averages of 3 runs (2 of earlier sweeps)"
    )


def test_truncation_ranks_earlier_runs_as_well():
    earlier = make_ended_sweep([0.9], [0.8], [0.7], [0.6])
    policy = {"type": "truncation_selection", "truncation_percentage": 20}
    sweep = make_sweep(early_termination=policy, resume_from=[earlier.public_id])
    run = make_running_run(sweep)
    report(run, [0.5])

    decision = judge(run)

    assert decision.stop
    assert "ranks 5 of 5 (4 of earlier sweeps)" in decision.reason


def test_limit_line_of_the_chart_starts_from_the_earlier_curves():
    earlier = make_ended_sweep([0.6, 0.9])
    sweep = make_sweep(early_termination=BANDIT, resume_from=[earlier.public_id])

    limits = queries.policy_limits(sweep)

    assert limits == [(1, pytest.approx(0.5)), (2, pytest.approx(0.75))]


def test_curves_of_a_running_sweep_are_read_once_and_stay_beside_the_own():
    earlier = make_ended_sweep([0.6, 0.9])
    sweep = make_sweep(resume_from=[earlier.public_id])
    run = make_running_run(sweep)
    report(run, [0.1])

    curves = SweepCurves(sweep.pk).refresh()

    assert curves.numbers == [-1, 0]
    assert curves.is_finished(-1)
    assert queries.add_earlier_curves(make_sweep(), CurveSet("maximize")) == {}


def test_resumed_runs_come_first_with_the_same_hyperparameters_and_count(tmp_path):
    sweep, earlier = resuming_sweep(tmp_path, 2, 0, max_total_runs=3, max_concurrent_runs=3)

    runs = list(sweep.runs.order_by("number"))

    assert [run.origin for run in runs] == ["resumed", "resumed", "sampler"]
    assert [run.params for run in runs[:2]] == [run_of(earlier, n).params for n in (2, 0)]
    assert runs[0].arguments == ["--lr", "0.30000000000000004", "--layers", "1"]
    assert runs[0].note == f"Resumes run {earlier.public_id}_2."
    assert (sweep.sampled, sweep.max_total_runs) == (3, 3)
    event = Event.objects.get(run=runs[0], kind="run")
    assert event.message == f"Run 0: Queued. Resumes run {earlier.public_id}_2."


def test_resumed_runs_take_the_slots_before_any_sample_does(tmp_path):
    sweep, _ = resuming_sweep(tmp_path, 0, 1, 2, max_total_runs=4, max_concurrent_runs=2)
    origins = []
    while run := sweep.runs.filter(state="Queued").order_by("number").first():
        claimed = claim(run)
        start_run(run.pk, claimed.fence, arguments=["x"], directory="")
        finish_run(run.pk, claimed.fence, RunOutcome(exit_code=0))
        origins.append(run.origin)

    assert origins == ["resumed", "resumed", "resumed", "sampler"]


def test_samples_are_the_same_with_resumed_runs_before_them(tmp_path):
    plain = make_sweep(is_running=False, max_total_runs=2, max_concurrent_runs=2)
    advance_sweep(plain.pk)
    sweep, _ = resuming_sweep(tmp_path, 0, max_total_runs=3, max_concurrent_runs=3)

    sampled = sweep.runs.filter(origin="sampler").order_by("number")

    assert [run.params for run in sampled] == [run.params for run in plain.runs.order_by("number")]


def test_sampler_does_not_repeat_what_is_resumed(tmp_path):
    sweep, _ = resuming_sweep(
        tmp_path,
        0,
        sampling="grid",
        search_space={"lr": "choice(0.1, 0.2)", "layers": "choice(1)"},
        max_total_runs=10,
        max_concurrent_runs=10,
    )

    assert [run.params["lr"] for run in sweep.runs.order_by("number")] == [0.1, 0.2]
    sweep.refresh_from_db()
    assert sweep.is_exhausted


def test_claim_hands_out_the_directory_of_the_earlier_run(tmp_path):
    sweep, earlier = resuming_sweep(tmp_path, 1, max_total_runs=2)
    resumed, sampled = sweep.runs.order_by("number")

    claimed = claim(resumed)

    assert claimed.resume_from.public_id == f"{earlier.public_id}_1"
    assert claimed.resume_from.directory == run_of(earlier, 1).directory
    assert claim(sampled).resume_from is None


def test_claim_knows_that_the_earlier_run_was_deleted(tmp_path):
    sweep, earlier = resuming_sweep(tmp_path, 1)
    public_id = earlier.public_id
    earlier.delete()

    claimed = claim(sweep.runs.get(number=0))

    assert claimed.resume_from.public_id == f"{public_id}_1"
    assert claimed.resume_from.directory == ""


def test_lost_resumed_run_is_repeated_as_a_resumed_run(tmp_path):
    sweep, earlier = resuming_sweep(tmp_path, 1, max_total_runs=1)
    run = sweep.runs.get()
    claimed = claim(run)
    words = [*run.arguments, "--resume-from", "/somewhere"]
    start_run(run.pk, claimed.fence, arguments=["x"], directory="/nowhere", script_arguments=words)
    run.refresh_from_db()
    assert run.arguments == words

    retry = lose_run(run.pk, reason="Its worker died.")

    assert retry.origin == "retry"
    assert retry.resumption == run.resumption
    assert retry.arguments == words[:-2]
    assert queries.run_json(retry)["resumed_from"] == f"{earlier.public_id}_1"
    assert claim(retry).resume_from.directory == run_of(earlier, 1).directory


def test_failed_resumed_run_can_be_repeated_by_hand(tmp_path):
    sweep, _ = resuming_sweep(tmp_path, 1, max_total_runs=1)
    run = sweep.runs.get()
    claimed = claim(run)
    start_run(run.pk, claimed.fence, arguments=["x"], directory="")
    failed = finish_run(run.pk, claimed.fence, RunOutcome(exit_code=1))

    assert retry_run(failed, user=make_user()).resumption == run.resumption


def test_best_run_is_looked_for_among_earlier_sweeps_unless_told_otherwise():
    earlier = make_ended_sweep([0.9], [0.95])
    sweep = make_sweep(resume_from=[earlier.public_id])
    run = make_running_run(sweep)
    report(run, [0.5])
    alice = make_user()

    assert queries.find_best_run(alice, sweep) == run_of(earlier, 1)
    assert queries.find_best_run(alice, sweep, include_earlier=False) == run
    sweep.refresh_from_db()
    assert sweep.best_run == run
    assert queries.better_earlier_run(sweep) == run_of(earlier, 1)


def test_best_run_can_leave_out_failed_and_canceled_runs():
    sweep = make_ended_sweep([0.9], [0.8], [0.7], [0.0], primary_metric=METRIC_DOWN)
    Run.objects.filter(sweep=sweep, number=3).update(state="Failed")
    Run.objects.filter(sweep=sweep, number=2).update(state="Canceled")
    alice = make_user()

    assert queries.find_best_run(alice, sweep) == run_of(sweep, 3)  # 0.0 is a value
    assert queries.find_best_run(alice, sweep, include_failed=False) == run_of(sweep, 2)
    both = queries.find_best_run(alice, sweep, include_failed=False, include_canceled=False)
    assert both == run_of(sweep, 1)
    assert queries.find_best_run(alice, make_sweep()) is None


METRIC_DOWN = {"name": "accuracy", "goal": "minimize"}


def test_of_equal_runs_the_own_first_one_is_best():
    earlier = make_ended_sweep([0.9])
    sweep = make_sweep(resume_from=[earlier.public_id])
    runs = [make_running_run(sweep) for _ in range(2)]
    for run in runs:
        report(run, [0.9])

    assert queries.find_best_run(make_user(), sweep) == runs[0]
    sweep.refresh_from_db()
    assert queries.better_earlier_run(sweep) is None


def test_lineage_is_told_on_both_sides(tmp_path):
    sweep, earlier = resuming_sweep(tmp_path, 1, resume_from=None)
    later = make_sweep(resume_from=[earlier.public_id])

    here, there = queries.lineage_of(sweep), queries.lineage_of(earlier)

    (pair,) = here.resumed
    assert (pair.source.public_id, pair.source.label) == (
        f"{earlier.public_id}_1",
        "run 1 of digits",
    )
    assert [entry.label for entry in pair.runs] == ["run 0"]
    assert [e.public_id for e in there.continued_by] == [sweep.public_id, later.public_id]
    assert queries.lineage_of(later).parents[0].url == earlier.get_absolute_url()
    run = sweep.runs.get(number=0)
    assert queries.resumed_from(run).url == run_of(earlier, 1).get_absolute_url()
    assert [e.public_id for e in queries.resumed_by(run_of(earlier, 1))] == [run.public_id]
