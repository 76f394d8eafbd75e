"""Sweeps on simulated compute, and what must hold of every one of them afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from experiments import queries
from experiments.learning_curves import as_score, learning_curve
from experiments.models import Decision, Event, Run, Sweep
from experiments.policies import make_policy
from experiments.policies.replay import replay
from experiments.queries.feed import events_after
from experiments.spec import SweepSpec
from experiments.states import RUN_ACTIVE
from runner.compute.simulated import Script, Trace
from runner.simulation import Simulation, create_simulated
from tests.factories import SPEC, make_snapshot, make_user, make_workspace

BEGIN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SEED = 3
FINITE = {"width": f"choice({list(range(40))})", "depth": f"choice({list(range(25))})"}
BANDIT = {
    "type": "bandit",
    "slack_factor": 0.1,
    "evaluation_interval": 5,
    "delay_evaluation": 5,
}


def quality_of(params: Mapping[str, Any]) -> float:
    """Return how good a configuration of FINITE is; there is one best."""
    return 1 - abs(params["width"] - 27) / 40 - abs(params["depth"] - 11) / 100


def curve_of(params: Mapping[str, Any], number: int, reports: int, family: str = "power_law"):
    """Return the accuracy of a run."""
    return as_score(learning_curve(family, quality_of(params), reports, seed=SEED, number=number))


def script_of(reports: int, **trace: Any) -> Script:
    """Return a script of runs of FINITE, each at a pace of its own: no two reports coincide."""

    def script(params: Mapping[str, Any], number: int, attempt: int) -> Trace:
        values = curve_of(params, number, reports)
        return Trace(values, seconds_per_report=20 + (number * 0.6180339887) % 1, **trace)

    return script


@dataclass
class World:
    """A simulated sweep and what carries it on."""

    sweep: Sweep
    simulation: Simulation
    spec: dict[str, Any] = field(default_factory=dict)

    def run(self) -> Sweep:
        """Carry it to its end; return the sweep."""
        self.simulation.run()
        self.sweep.refresh_from_db()
        return self.sweep

    def runs(self, **where: Any) -> list[Run]:
        """Return the runs by number."""
        return list(Run.objects.filter(sweep=self.sweep, **where).order_by("number"))

    def counts(self) -> Counter[tuple[str, str]]:
        """Count the runs by state and end reason."""
        return Counter((run.state, run.end_reason) for run in self.runs())


def simulate(script: Script, *, slots: int = 100, flush: int = 1, **spec: Any) -> World:
    """Return a sweep of SPEC with changes on simulated compute, not begun yet."""
    owner = make_user()
    sweep = create_simulated(
        SweepSpec.parse({**SPEC, "search_space": FINITE, "max_total_runs": 40, **spec}),
        owner=owner,
        workspace=make_workspace(owner),
        snapshot=make_snapshot(),
        begin=BEGIN,
    )
    simulation = Simulation(sweep.pk, script, begin=BEGIN, slots=slots, reports_per_flush=flush)
    return World(sweep, simulation)


def check_rules(world: World, *, concurrent: int | None = None) -> None:
    """Assert what holds of every sweep: concurrency, limits, reasons, times, the best run, feed.

    `concurrent`: the highest limit that the sweep ever had, where it was changed.
    """
    sweep, runs = world.sweep, world.runs()
    assert most_active(sweep) <= (concurrent or sweep.max_concurrent_runs)
    assert sweep.sampled <= sweep.max_total_runs
    assert [run.number for run in runs] == list(range(len(runs)))
    stopped = [run for run in runs if run.end_reason == "policy"]
    receipts = dict(Decision.objects.filter(run__sweep=sweep).values_list("run__number", "reason"))
    assert receipts == {run.number: run.reason for run in stopped if run.state == "Canceled"}
    assert all(run.reason for run in runs if run.is_terminal)
    for run in runs:
        moments = [run.created_at, run.started_at, run.ended_at]
        known = [moment for moment in moments if moment is not None]
        assert known == sorted(known)
        assert known[0] >= BEGIN
    check_best(world)
    check_feed(world)


def check_best(world: World) -> None:
    """Assert that the best run of the sweep is the one with the best stored value."""
    best = [run for run in world.runs() if run.best_value is not None]
    values = [run.best_value for run in best]
    if not values:
        assert world.sweep.best_run is None
        return
    assert world.sweep.best_value == max(values)
    assert world.sweep.best_run == best[int(np.argmax(values))]


def check_feed(world: World) -> None:
    """Assert that a reader from the beginning gets every point once and every final state."""
    cursor, points, states = 0, Counter[int](), {}
    while cursor < world.sweep.cursor:
        cursor, events = events_after(world.sweep, cursor)
        for event in events:
            if event["type"] == "metrics":
                assert event["first"] == points[event["number"]]
                points[event["number"]] += len(event["values"])
            elif event["type"] == "run":
                states[event["run"]["number"]] = event["run"]["status"]
    runs = world.runs()
    assert points == Counter({run.number: run.reports for run in runs if run.reports})
    assert states == {run.number: run.state for run in runs}


def most_active(sweep: Sweep) -> int:
    """Return how many runs were active at most, by the log."""
    active, most, living = set(RUN_ACTIVE), 0, set()
    rows = Event.objects.filter(sweep=sweep, kind="run").order_by("cursor")
    for payload in rows.values_list("payload", flat=True):
        if payload["state"] in active:
            living.add(payload["number"])
        else:
            living.discard(payload["number"])
        most = max(most, len(living))
    return most


def replayed(world: World, reports: int, *, flush: int = 1) -> dict[int, tuple[int, str]]:
    """Return what the policy decides on the whole curves, without any service: stops by run.

    A report is known when its flush has come.
    """
    known = (np.arange(reports) // flush + 1) * flush - 1
    times = {
        number: curve.times
        for number, curve in queries.curves_of(world.sweep, "accuracy", limit=10**6).items()
    }
    histories = []
    for run in world.runs():
        pace = 20 + (run.number * 0.6180339887) % 1
        stored = times[run.number]
        later = stored[-1] + pace * np.arange(1, reports - stored.size + 1)
        whole = curve_of(run.params, run.number, reports)
        histories.append((run.number, whole, np.concatenate([stored, later])[known]))
    policy = make_policy(world.sweep.spec["early_termination"])
    stops = replay(policy, "maximize", histories).stops
    return {number: (decision.interval, decision.reason) for number, decision in stops.items()}


def decided(world: World) -> dict[int, tuple[int, str]]:
    """Return the stops of the live sweep by run."""
    rows = Decision.objects.filter(run__sweep=world.sweep)
    return {
        number: (interval, reason)
        for number, interval, reason in rows.values_list("run__number", "interval", "reason")
    }
