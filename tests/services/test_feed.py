"""The change feed is exact: nothing missed, nothing twice, in the order of the cursor."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments import queries
from experiments.models import Sweep
from experiments.services.compaction import compact_series
from experiments.services.events import append_event
from experiments.services.runs import RunOutcome, begin_finalizing, finish_run
from experiments.services.sweeps import cancel_sweep
from experiments.states import RunState
from tests.factories import make_run, make_running_run, make_sweep, make_user, report

pytestmark = pytest.mark.django_db


class Client:
    """What a browser keeps: its cursor, the points it was sent, the last state of each run."""

    def __init__(self, sweep: Sweep, cursor: int = 0) -> None:
        self.sweep = sweep
        self.cursor = cursor
        self.points: dict[tuple[int, str], list[Any]] = {}
        self.runs: dict[int, dict[str, Any]] = {}
        self.log: list[tuple[int, str]] = []
        self.state = ""

    def fetch(self, limit: int = 500) -> list[dict[str, Any]]:
        """Ask once with the last cursor, and take everything in."""
        cursor, events = queries.events_after(self.sweep, self.cursor, limit=limit)
        assert [e["cursor"] for e in events] == sorted(e["cursor"] for e in events)
        assert all(self.cursor < e["cursor"] <= cursor for e in events)
        for event in events:
            getattr(self, f"take_{event['type']}")(event)
        self.cursor = cursor
        return events

    def catch_up(self, limit: int = 500) -> None:
        """Ask until nothing is left."""
        while self.cursor < Sweep.objects.get(pk=self.sweep.pk).cursor:
            self.fetch(limit)

    def take_metrics(self, event: dict[str, Any]) -> None:
        known = self.points.setdefault((event["number"], event["metric"]), [])
        assert event["first"] == len(known), "a point is missing or came twice"
        known += event["values"]
        assert len(event["times"]) == len(event["values"])

    def take_run(self, event: dict[str, Any]) -> None:
        self.runs[event["run"]["number"]] = event["run"]

    def take_log(self, event: dict[str, Any]) -> None:
        self.log.append((event["cursor"], event["message"]))

    def take_sweep(self, event: dict[str, Any]) -> None:
        self.state = event["sweep"]["status"]

    def take_best(self, event: dict[str, Any]) -> None:
        self.best = (event["number"], event["value"])

    def take_decision(self, event: dict[str, Any]) -> None:
        pass


def stored_points(sweep: Sweep) -> dict[tuple[int, str], list[Any]]:
    """Return what the database holds, as a client should have it."""
    return {
        (run.number, series.name): queries.numbers_json(series.values.tolist())
        for run in sweep.runs.all()
        for series in queries.all_series(run)
    }


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6))
def test_clients_that_come_and_go_get_every_point_once(seed, django_db_blocker):
    rng = random.Random(seed)
    sweep = make_sweep(max_total_runs=1000, max_concurrent_runs=100)
    runs = [make_running_run(sweep) for _ in range(3)]
    clients = [Client(sweep)]

    for _ in range(rng.randint(1, 40)):
        action = rng.random()
        if action < 0.6:
            size = rng.choice([1, 1, 3, 40, 600])
            values = [rng.choice([rng.random(), math.nan, math.inf, "text"]) for _ in range(size)]
            report(rng.choice(runs), values, name=rng.choice(["accuracy", "loss"]))
        elif action < 0.7:
            runs.append(make_running_run(sweep))
        elif action < 0.75:
            compact_series(rng.choice(runs).pk)
        elif action < 0.8:
            append_event(sweep.pk, "notice", f"notice {rng.random()}")
        elif action < 0.85:
            clients.append(Client(sweep))
        else:
            rng.choice(clients).fetch(limit=rng.choice([1, 2, 7, 500]))
    for client in clients:
        client.catch_up(limit=rng.choice([1, 5, 500]))

    expected = stored_points(sweep)
    lines = list(sweep.events.order_by("cursor").values_list("cursor", "message"))
    sweep.refresh_from_db()
    for client in clients:
        assert client.points == expected
        assert client.log == lines
        assert client.runs == {
            run.number: queries.run_json(run) for run in sweep.runs.select_related("sweep")
        }
        assert getattr(client, "best", None) == (
            (sweep.best_run.number, sweep.best_value) if sweep.best_run else None
        )


def test_a_client_that_is_up_to_date_gets_nothing():
    sweep = make_sweep()
    client = Client(sweep)
    client.catch_up()

    assert client.fetch() == []


def test_a_cursor_from_the_future_is_told_the_real_one():
    sweep = make_sweep()

    cursor, events = queries.events_after(sweep, 10**9)

    assert (cursor, events) == (Sweep.objects.get(pk=sweep.pk).cursor, [])


def test_the_events_of_a_life():
    sweep = make_sweep()
    client = Client(sweep)
    client.catch_up()
    run = make_running_run(sweep)
    report(run, [0.5, math.nan], steps=[10, None])

    events = client.fetch()

    by_type = {event["type"]: event for event in events}
    assert [e["type"] for e in events] == [
        "log",
        "log",
        "log",
        "sweep",
        "log",
        "run",
        "metrics",
        "best",
    ]
    assert by_type["run"]["run"]["status"] == "Running"
    assert by_type["run"]["run"]["best"] == {"value": 0.5, "interval": 1, "step": 10.0}
    metrics = by_type["metrics"]
    assert metrics["run"] == run.public_id
    assert (metrics["number"], metrics["metric"], metrics["first"]) == (0, "accuracy", 0)
    assert (metrics["values"], metrics["steps"]) == ([0.5, "NaN"], [10.0, None])
    assert (by_type["best"]["run"], by_type["best"]["value"]) == (run.public_id, 0.5)
    assert by_type["sweep"]["sweep"]["counts"] == {"Running": 1}


def test_every_event_is_json():
    sweep = make_sweep()
    run = make_running_run(sweep)
    report(run, [math.nan, math.inf, -math.inf, "text", 1.0], steps=[math.inf, 1, 2, 3, 4])

    _, events = queries.events_after(sweep, 0)

    metrics = next(e for e in events if e["type"] == "metrics")
    assert metrics["values"] == ["NaN", "Infinity", "-Infinity", "NaN", 1.0]
    assert metrics["texts"] == {"3": "text"}
    assert json.loads(json.dumps(events, allow_nan=False)) == events


def test_a_change_of_state_sends_the_sweep_and_its_counts():
    sweep = make_sweep()
    make_run(sweep)
    client = Client(sweep)
    client.catch_up()

    cancel_sweep(sweep, user=make_user())

    client.fetch()
    assert client.state == "Canceled"
    assert client.runs[0]["status"] == "Canceled"
    assert client.runs[0]["reason"] == "The sweep was canceled."


def test_many_changes_of_a_run_are_merged_into_its_last_state():
    sweep = make_sweep(max_total_runs=1)
    run = make_running_run(sweep)
    report(run, [0.5])
    begin_finalizing(run.pk, run.fence)
    finish_run(run.pk, run.fence, RunOutcome(exit_code=0))

    _, events = queries.events_after(sweep, 0)

    (run_event,) = [e for e in events if e["type"] == "run"]
    assert run_event["run"]["status"] == RunState.COMPLETED
    run.refresh_from_db()
    assert run_event["cursor"] == run.stamp


def test_the_number_of_queries_does_not_grow_with_the_runs(django_assert_num_queries):
    small, large = make_sweep(), make_sweep(max_total_runs=100, max_concurrent_runs=100)
    for sweep, count in ((small, 2), (large, 30)):
        for _ in range(count):
            report(make_running_run(sweep), [0.1, 0.2])
    connection.queries_log.clear()

    for sweep in (small, large):
        # Cursor, log, runs, chunks; of a sweep that changed itself also the sweep, counts, best.
        with django_assert_num_queries(7):
            queries.events_after(sweep, 0)


def test_a_flush_alone_costs_four_queries(django_assert_num_queries):
    sweep = make_sweep()
    run = make_running_run(sweep)
    report(run, [0.9])
    client = Client(sweep)
    client.catch_up()
    report(run, [0.1])

    with django_assert_num_queries(4):
        queries.events_after(sweep, client.cursor)
