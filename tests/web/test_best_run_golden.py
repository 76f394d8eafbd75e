"""`get_best_run_by_primary_metric` over HTTP, rule by rule; the page shows the same winner."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from experiments import queries
from experiments.models import Run, Sweep
from experiments.services.access import make_api_token
from experiments.services.outcome import RunOutcome
from experiments.services.stopping import request_stop
from experiments.services.sweeps import cancel_sweep
from experiments.states import EndReason
from studio.sdk import Experiment, HyperDriveRun, Workspace
from tests.factories import make_sweep, make_user, report
from tests.web.sweep_world import end, start

pytestmark = pytest.mark.django_db(transaction=True)

CASES = json.loads((Path(__file__).parent.parent / "golden/best_run.json").read_text())["cases"]
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].replace(" ", "-"))
REPORTS = {"NaN": [math.nan], "NaN then 0.1": [math.nan, 0.1, math.nan], "inf": [math.inf]}


@pytest.fixture
def workspace(live_server) -> Workspace:
    token = make_api_token(make_user(), name="t", scope="read")[1]
    return Workspace(live_server.url, token)


def make_case(goal: str, runs: list[Any], **spec: Any) -> Sweep:
    sweep = make_sweep(primary_metric={"name": "accuracy", "goal": goal}, max_total_runs=99, **spec)
    # All of them first: the end of a run lets the controller fill free slots.
    rows = [start(sweep, lr=0.1, layers=1) for _ in runs]
    for row, (values, _) in zip(rows, runs, strict=True):
        report(row, REPORTS[values] if isinstance(values, str) else values)
    for row, (_, ending) in zip(rows, runs, strict=True):
        _end(row, ending)
    return sweep


def _end(run: Run, ending: str) -> None:
    if ending == "completed":
        end(run, RunOutcome(exit_code=0))
    elif ending == "failed":
        end(run, RunOutcome(exit_code=1))
    elif ending == "stopped":
        request_stop(run.pk, end_reason=EndReason.POLICY, reason="bandit policy")
        end(run, RunOutcome(signal=15, stopped_by_us=True))


@EVERY
def test_best_run_follows_the_rules(workspace: Workspace, case: dict[str, Any]) -> None:
    parent = make_case(case["goal"], case["parent"]) if "parent" in case else None
    if parent:
        cancel_sweep(parent, user=make_user())
    resume_from = [parent.public_id] if parent else []
    sweep = make_case(case["goal"], case["runs"], resume_from=resume_from)
    run = HyperDriveRun(Experiment(workspace, "digits"), sweep.public_id)

    for flags, expected in case["best"].items():
        best = run.get_best_run_by_primary_metric(**dict.fromkeys(flags.split(), False))

        if expected is None:
            assert best is None, flags
            continue
        owner = parent if isinstance(expected, str) else sweep
        number = expected.removeprefix("parent ") if isinstance(expected, str) else expected
        assert best is not None, flags
        assert best.id == f"{owner.public_id}_{number}", flags


@EVERY
def test_page_shows_the_winner_among_the_sweeps_own_runs(client, case: dict[str, Any]) -> None:
    sweep = make_case(case["goal"], case["runs"])
    sweep.refresh_from_db()
    own = case["best"].get("include_resume_from_runs", case["best"][""])
    if isinstance(own, str):
        own = 0
    client.force_login(make_user())

    model = queries.best_model(sweep)
    html = client.get(reverse("sweep_best", args=[sweep.public_id])).content.decode()

    if own is None:
        assert model is None
        assert "No best run" in html
    else:
        assert model is not None
        assert model.run.number == own
        assert f"Run {own}</a>" in html
