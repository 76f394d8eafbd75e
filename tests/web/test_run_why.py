"""Why a run was chosen: on its page as one sentence with a link, in REST with the numbers."""

from __future__ import annotations

import pytest

from experiments.models import Run, Sweep
from experiments.services.advance import advance_sweep
from experiments.services.retries import retry_run
from experiments.services.runs import RunOutcome, finish_run
from experiments.states import RunState
from experiments.views.run_why import why_of
from tests.factories import make_running_run, make_sweep, make_user, report
from tests.services.test_look_ahead import bayesian_sweep, begin, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client):
    client.force_login(make_user())
    return client


def page_of(client, run: Run) -> str:
    return client.get(run.get_absolute_url()).content.decode()


def test_a_learned_run_says_what_was_expected_and_links_to_the_run_compared_with(signed_in):
    sweep = started(bayesian_sweep())
    run = sweep.runs.latest("number")
    number = run.facts["incumbent"]["number"]

    page = page_of(signed_in, run)

    assert "Why these values" in page
    assert f'<a href="/runs/{sweep.public_id}_{number}/">run {number}</a>' in page
    assert "Expected accuracy" in page
    assert "Log improvement" in page
    assert f"{run.facts['learned_from']} runs, {run.facts['pending']} under way" in page
    why = why_of(run)
    assert f"{why.before}{why.linked}{why.after}" == run.note
    assert "±" in why.before
    assert why.before.startswith(("Refines: ", "Explores: "))


def test_result_stands_beside_what_was_expected(signed_in):
    sweep = started(bayesian_sweep())
    run = sweep.runs.filter(state=RunState.RUNNING).latest("number")
    report(run, [0.8125])
    run.refresh_from_db()

    assert ("Became", "0.8125") in why_of(run).rows


@pytest.mark.parametrize(
    ("sampling", "said"),
    [("random", "of seed"), ("sobol", "of the Sobol sequence"), ("grid", "Combination 1 of 3.")],
)
def test_every_sampler_says_why(signed_in, sampling, said):
    sweep = make_sweep(sampling=sampling, search_space={"layers": "choice(1, 2, 3)"})
    advance_sweep(sweep.pk)
    run = sweep.runs.earliest("number")

    assert said in page_of(signed_in, run)
    assert (run.facts, why_of(run).rows, why_of(run).url) == (None, [], "")


def test_a_run_without_a_reason_shows_none(signed_in):
    run = make_running_run(make_sweep())

    assert "Why these values" not in page_of(signed_in, run)


def test_run_1_is_not_linked_where_run_12_is_meant():
    run = make_running_run(make_sweep())
    run.note = "Refines: best is run 12 (0.5)."

    run.facts = {"kind": "refine", "incumbent": {"number": 1}}
    assert (why_of(run).before, why_of(run).url) == (run.note, "")
    run.facts = {"kind": "refine", "incumbent": {"number": 12}}
    assert why_of(run).linked == "run 12"
    run.facts = {"kind": "refine", "incumbent": {"number": None}}
    assert why_of(run).url == ""


def test_text_of_a_note_is_never_markup(signed_in):
    run = make_running_run(make_sweep())
    Run.objects.filter(pk=run.pk).update(note="<b>bold</b>", facts={"kind": "<i>"})

    assert "&lt;b&gt;bold&lt;/b&gt;" in page_of(signed_in, run)


def test_rest_has_the_facts_of_a_run(signed_in):
    sweep = started(bayesian_sweep())
    run = sweep.runs.latest("number")

    found = signed_in.get(f"/api/v1/runs/{run.public_id}").json()

    assert found["note"] == run.note
    assert found["facts"] == run.facts
    assert found["facts"]["incumbent"]["number"] == run.facts["incumbent"]["number"]


def test_a_repeated_run_keeps_why(signed_in):
    sweep = started(bayesian_sweep())
    run = sweep.runs.filter(state=RunState.RUNNING).latest("number")
    finish_run(run.pk, run.fence, RunOutcome(exit_code=1))
    run.refresh_from_db()

    again = retry_run(run, user=make_user())

    assert (again.note, again.facts) == (run.note, run.facts)


def test_best_finite_values_are_what_is_learned_from():
    sweep = bayesian_sweep(primary_metric={"name": "accuracy", "goal": "minimize"})
    advance_sweep(sweep.pk)
    run = begin(sweep.runs.earliest("number"))
    report(run, [0.5, "NaN", 0.25, 0.75])
    finish_run(run.pk, run.fence, RunOutcome(exit_code=0))

    from experiments.services.sweep_history import history_of, look_at

    sweep = Sweep.objects.get(pk=sweep.pk)
    first = history_of(sweep, look_at(sweep)).observations[0]
    assert (first.value, first.state) == (0.25, "completed")
