"""Suggestions worked out in advance: the same ones, only earlier; losing them changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import django_rq
import pytest

from experiments.models import Run, Sweep
from experiments.samplers.bayesian import Bayesian
from experiments.services import kept_suggestions
from experiments.services.advance import advance_sweep
from experiments.services.dispatch import CONTROL_QUEUE, get_queue
from experiments.services.look_ahead import look_ahead
from experiments.services.runs import RunOutcome, finish_run, start_run
from experiments.services.sampling import make_sampler, propose_runs, suggest
from experiments.services.sweep_history import history_of, look_at
from experiments.spec import SweepSpec
from experiments.states import RunState
from tests.factories import claim, make_sweep, report

pytestmark = pytest.mark.django_db
SPACE = {"lr": "uniform(0.0, 1.0)", "layers": "choice(1, 2, 3)", "width": "quniform(8, 64, 8)"}


@pytest.fixture(autouse=True)
def empty_redis():
    connection = django_rq.get_connection("default")
    connection.flushdb()
    yield connection
    connection.flushdb()


def value_of(run: Run) -> float:
    return round(1 - (run.params["lr"] - 0.6) ** 2 - 0.05 * abs(run.params["layers"] - 2), 6)


def bayesian_sweep(**spec) -> Sweep:
    return make_sweep(
        **{
            "sampling": {"type": "bayesian", "seed": 3},
            "search_space": SPACE,
            "max_total_runs": 30,
            "max_concurrent_runs": 2,
            **spec,
        }
    )


def begin(run: Run) -> Run:
    claimed = claim(run)
    return start_run(run.pk, claimed.fence, arguments=["x"], directory="")


def end(run: Run) -> None:
    run.refresh_from_db()
    finish_run(run.pk, run.fence, RunOutcome(exit_code=0))


def work(sweep: Sweep, count: int) -> None:
    """Complete the next `count` runs one by one."""
    for _ in range(count):
        run = sweep.runs.filter(state=RunState.QUEUED).earliest("number")
        report(begin(run), [value_of(run)])
        end(run)


def started(sweep: Sweep) -> Sweep:
    """Complete enough runs that the model proposes the next ones; begin all that are queued."""
    advance_sweep(sweep.pk)
    work(sweep, 12)
    for run in sweep.runs.filter(state=RunState.QUEUED):
        begin(run)
    return Sweep.objects.get(pk=sweep.pk)


def next_of(sweep: Sweep) -> list[dict]:
    """Return what the sampler itself gives for the history of now."""
    sweep = Sweep.objects.get(pk=sweep.pk)
    sampler = make_sampler(sweep, SweepSpec.from_stored(sweep.spec))
    return [s.params for s in suggest(sweep, sampler, look_at(sweep), 1)]


def test_what_was_kept_is_what_the_sampler_gives_when_the_run_has_ended(monkeypatch):
    sweep = started(bayesian_sweep())
    run = sweep.runs.filter(state=RunState.RUNNING).earliest("number")
    report(run, [value_of(run)])

    assert look_ahead(sweep.pk) == 1
    asked: list[int] = []
    original = Bayesian.suggest
    monkeypatch.setattr(
        Bayesian, "suggest", lambda self, h, n: asked.append(n) or original(self, h, n)
    )
    end(run)
    assert asked == []
    created = Run.objects.filter(sweep=sweep).latest("number")

    monkeypatch.undo()
    # The same question to the sampler itself: the history before the new run.
    created_params, facts = created.params, created.facts
    Run.objects.filter(pk=created.pk).delete()
    Sweep.objects.filter(pk=sweep.pk).update(sampled=created.number, next_number=created.number)
    assert next_of(sweep) == [created_params]
    assert look_at(Sweep.objects.get(pk=sweep.pk)).fingerprint == facts["history"]


def test_nothing_is_taken_for_another_history():
    sweep = started(bayesian_sweep())
    first, second = sweep.runs.filter(state=RunState.RUNNING).order_by("number")
    report(first, [0.5])
    assert look_ahead(sweep.pk) == 1

    report(first, [0.9])  # better than what was expected
    seen = look_at(Sweep.objects.get(pk=sweep.pk))

    assert kept_suggestions.take(sweep.pk, seen.when_completed(first.number, 0.5), 1)
    assert kept_suggestions.take(sweep.pk, seen.when_completed(first.number, 0.9), 1) is None
    assert kept_suggestions.take(sweep.pk, seen.when_completed(second.number, 0.5), 1) is None
    assert kept_suggestions.take(sweep.pk, seen.when_completed(first.number, 0.5), 2) is None
    assert kept_suggestions.take(sweep.pk + 1, seen.when_completed(first.number, 0.5), 1) is None


def test_losing_all_of_redis_changes_no_run(empty_redis):
    sweeps = [bayesian_sweep(name=name) for name in ("kept", "lost")]
    found = []
    for sweep in sweeps:
        started(sweep)
        for _ in range(4):
            run = sweep.runs.filter(state=RunState.RUNNING).earliest("number")
            report(run, [value_of(run)])
            if sweep is sweeps[0]:
                look_ahead(sweep.pk)
            else:
                empty_redis.flushdb()
            end(run)
            begin(sweep.runs.get(state=RunState.QUEUED))
        rows = sweep.runs.order_by("number")
        found.append([(run.number, run.params, run.note, run.facts) for run in rows])

    assert len(found[0]) == 18
    assert found[0] == found[1]
    kinds = {facts["kind"] for *_, facts in found[0] if facts}
    assert kinds & {"explore", "refine"}


_ELSEWHERE = """
import json, sys
from experiments.samplers.base import History, Observation
from experiments.samplers.bayesian import Bayesian
from experiments.space.space import SearchSpace
asked = json.load(sys.stdin)
sampler = Bayesian(SearchSpace.parse(asked["space"]), goal="maximize", seed=asked["seed"])
history = History(asked["next"], [Observation(*row) for row in asked["rows"]])
print(json.dumps([found.params for found in sampler.suggest(history, 2)]))
"""


def test_another_process_gives_the_same_next_runs():
    sweep = started(bayesian_sweep())
    here = propose_runs(sweep, 2).runs
    history = history_of(sweep, look_at(sweep))
    asked = {
        "space": SPACE,
        "seed": sweep.seed,
        "next": history.next_number,
        "rows": [[o.number, o.params, o.value, o.state] for o in history.observations],
    }

    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout) == [run.params for run in here]


def asked_for() -> list[list[int]]:
    """Return the arguments of the jobs that wait for the control worker to look ahead."""
    jobs = get_queue(CONTROL_QUEUE).jobs
    return [job.args for job in jobs if job.func_name == "runner.jobs.look_ahead"]


def test_reports_ask_the_control_worker_once(django_capture_on_commit_callbacks):
    sweep = started(bayesian_sweep())
    first, second = sweep.runs.filter(state=RunState.RUNNING).order_by("number")

    with django_capture_on_commit_callbacks(execute=True):
        report(first, [0.5])
        report(second, [0.6])
    assert asked_for() == [[sweep.pk]]
    assert look_ahead(sweep.pk) == 2
    assert look_ahead(sweep.pk) == 0

    with django_capture_on_commit_callbacks(execute=True):
        report(first, [0.7])
    assert asked_for() == [[sweep.pk]] * 2


def test_runs_far_from_their_usual_end_are_left_alone():
    sweep = bayesian_sweep()
    advance_sweep(sweep.pk)
    for _ in range(8):
        run = sweep.runs.filter(state=RunState.QUEUED).earliest("number")
        report(begin(run), [0.1, value_of(run), 0.1])
        end(run)
    run = begin(sweep.runs.filter(state=RunState.QUEUED).earliest("number"))

    report(run, [0.3, 0.4])
    assert look_ahead(sweep.pk) == 0
    report(run, [0.5])
    assert look_ahead(sweep.pk) == 1


@pytest.mark.parametrize("sampling", ["random", "sobol"])
def test_quick_samplers_are_never_asked_ahead(sampling, django_capture_on_commit_callbacks):
    sweep = bayesian_sweep(sampling=sampling)

    with django_capture_on_commit_callbacks(execute=True):
        advance_sweep(sweep.pk)
        run = begin(sweep.runs.filter(state=RunState.QUEUED).earliest("number"))
        report(run, [0.5])

    assert asked_for() == []
    assert look_ahead(sweep.pk) == 0


def test_a_sweep_that_takes_no_more_runs_is_left_alone():
    sweep = started(bayesian_sweep(max_total_runs=14))
    run = sweep.runs.filter(state=RunState.RUNNING).earliest("number")
    report(run, [0.5])

    assert look_ahead(sweep.pk) == 0


def test_pending_runs_have_no_value_for_samplers():
    sweep = started(bayesian_sweep())
    run = sweep.runs.filter(state=RunState.RUNNING).earliest("number")
    before = look_at(sweep).fingerprint

    report(run, [0.99])

    assert look_at(sweep).fingerprint == before
    history = history_of(sweep, look_at(sweep))
    pending = [o for o in history.observations if o.state == "pending"]
    assert {o.number for o in pending} == {12, 13}
    assert all(o.value is None for o in pending)
    assert all(o.value is not None for o in history.observations if o.state == "completed")


def test_each_run_stores_why_it_was_chosen():
    sweep = started(bayesian_sweep())

    first, last = sweep.runs.earliest("number"), sweep.runs.latest("number")

    assert first.facts["kind"] == "initial"
    assert last.facts["kind"] in ("explore", "refine")
    assert last.facts["incumbent"]["number"] < last.number
    assert f"run {last.facts['incumbent']['number']}" in last.note
    assert last.facts["mean"] is not None
    assert last.facts["spread"] >= 0
    assert last.facts["learned_from"] + last.facts["pending"] <= last.number
    assert len(last.facts["history"]) == 32
