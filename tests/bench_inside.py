"""What the studio works out without HTTP: decisions and suggestions, told what to do by lines.

Started by `tests.bench_growth` with the settings of a running studio. `bandit 1000100` stands for a
sweep of 1000 runs and 100 decisions; so do the other policies and `suggest`. `size 0`: bytes of the
database.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import django

django.setup()

from django.conf import settings
from django.utils import timezone

from experiments.models import Run, Sweep
from experiments.services.metrics import Report, record_reports
from experiments.services.sampling import propose_runs
from experiments.services.termination import SweepCurves, apply_policy
from experiments.spec import SweepSpec
from tests.bench_own import size
from tests.bench_peers.obey import obey
from tests.bench_served import filled_sweep

_POLICIES: dict[str, dict[str, Any]] = {
    "bandit": {"type": "bandit", "slack_factor": 1e9},
    "median_stopping": {"type": "median_stopping"},
    "truncation_selection": {"type": "truncation_selection", "truncation_percentage": 1},
}


def decide(policy: str, count: int) -> dict[str, Any]:
    """Report and judge: milliseconds of each decision, and of the first reading of all curves.

    The run leads its sweep, so no decision ends it; after each report everything happens that an
    executor does for the policy.
    """
    runs, decisions = divmod(count, 1000)
    sweep = Sweep.objects.get(max_total_runs=runs)
    spec = SweepSpec.from_stored(sweep.spec | {"early_termination": _POLICIES[policy]})
    run = sweep.runs.latest("number")
    _revive(run)
    begun = time.perf_counter()
    curves = SweepCurves(sweep.pk)
    curves.refresh()
    first = 1000 * (time.perf_counter() - begun)
    # What its executor would have judged by now.
    curves.judged[run.number] = run.reports
    took = []
    for number in range(1, decisions + 1):
        seq = run.last_seq + number
        told = Report(seq, sweep.metric_name, 1000.0 + number, number, time.time())
        record_reports(run.pk, run.fence, [told])
        begun = time.perf_counter()
        decision = apply_policy(run.pk, run.fence, curves=curves, spec=spec)
        took.append(1000 * (time.perf_counter() - begun))
        assert decision is not None, "the policy was not due"
        assert not decision.stop, decision.reason
    return {"first": first, "decisions": took}


def _revive(run: Run) -> None:
    """Let an ended run go on: the state of one that reports, which the last of a sweep had."""
    later = timezone.now() + timedelta(hours=2)
    Run.objects.filter(pk=run.pk).update(
        state="Running", end_reason="", ended_at=None, lease_expires_at=later, last_decision=None
    )
    run.refresh_from_db()


def suggest(count: int) -> list[float]:
    """Return the milliseconds of each suggestion for a sweep of so many observed runs."""
    runs, suggestions = divmod(count, 1000)
    sweep = Sweep.objects.filter(max_total_runs=runs + 8, sampled=runs + 1).first()
    if sweep is None:
        sweep = filled_sweep(runs + 1, 1)  # one is queued: the controller asks for no more
        Sweep.objects.filter(pk=sweep.pk).update(max_total_runs=runs + 8)
        propose_runs(sweep, 1)
    took = []
    for _ in range(suggestions):
        # Another history each time: one more value has changed, as when a run has ended.
        run = sweep.runs.filter(state="Completed").order_by("?").first()
        assert run is not None
        Run.objects.filter(pk=run.pk).update(best_value=random.random())
        begun = time.perf_counter()
        propose_runs(sweep, 1)
        took.append(1000 * (time.perf_counter() - begun))
    return took


if __name__ == "__main__":
    assert settings.configured
    acts: dict[str, Callable[[int], Any]] = {name: partial(decide, name) for name in _POLICIES}
    obey("studio", {**acts, "size": size, "suggest": suggest})
