"""What is new in a sweep after a cursor: the same for the socket, REST and the polling page.

Exact: a client that asks again with the cursor it was given misses nothing and sees no point and
no event twice. States are sent as they are now, so a row that moves on meanwhile comes next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db.models import prefetch_related_objects

from experiments.models import Event, Run, Sweep
from experiments.queries.json_forms import (
    best_run_json,
    number_json,
    numbers_json,
    run_counts,
    run_json,
    time_json,
)
from experiments.queries.series import Delta, deltas, steps_json
from experiments.states import badge

_ORDER: Final = ("log", "sweep", "run", "metrics", "best", "decision")
_STATE_KINDS: Final = frozenset({Event.Kind.SWEEP, Event.Kind.RUN})


def events_after(sweep: Sweep, cursor: int, limit: int = 500) -> tuple[int, list[dict[str, Any]]]:
    """Return the new cursor, and the events after `cursor` up to it in cursor order.

    `limit` is the number of changes that are merged into one answer; there is more to fetch while
    the new cursor is below that of the sweep.

    The sweep's row is read first. Stamps appear in the order of the commits, so every row with a
    stamp up to its cursor is visible to the queries that follow, on PostgreSQL as on SQLite.
    """
    now = Sweep.objects.only("cursor", "best_stamp", "best_value", "best_run").get(pk=sweep.pk)
    upto = min(now.cursor, cursor + limit)
    if upto <= cursor:
        return now.cursor, []
    log = _log_rows(sweep.pk, cursor, upto)
    runs = _runs(sweep, cursor, upto)
    events = [*_log_events(log), *_run_events(runs)]
    events += [_metrics_event(delta) for delta in deltas(sweep.pk, cursor, upto)]
    changes = [row["cursor"] for row in log if row["kind"] in _STATE_KINDS]
    if changes:
        whole = Sweep.objects.select_related("best_run").get(pk=sweep.pk)
        events.append({"type": "sweep", "cursor": changes[-1], "sweep": sweep_state_json(whole)})
    if now.best_run_id is not None and cursor < now.best_stamp <= upto:
        leader = Run.objects.filter(pk=now.best_run_id).values_list("public_id", "number").first()
        if leader is not None:
            events.append(_best_event(now, *leader))
    events.sort(key=lambda event: (event["cursor"], _ORDER.index(event["type"])))
    return upto, events


def sweep_state_json(sweep: Sweep) -> dict[str, Any]:
    """Return what changes of a sweep while it runs."""
    chip = badge(sweep.state, sweep.end_reason)
    counts = run_counts(sweep)
    return {
        "id": sweep.public_id,
        "status": sweep.state,
        "label": chip.label,
        "css": chip.css,
        "icon": chip.icon,
        "reason": sweep.reason,
        "end_reason": sweep.end_reason,
        "counts": {state: n for state, n in counts.items() if state != "stopped_early"},
        "stopped_early": counts.get("stopped_early", 0),
        "best_run": best_run_json(sweep),
        "started": time_json(sweep.started_at),
        "ended": time_json(sweep.ended_at),
    }


def _log_rows(sweep_id: int, after: int, upto: int) -> list[dict[str, Any]]:
    rows = (
        Event.objects.filter(sweep=sweep_id, cursor__gt=after, cursor__lte=upto)
        .order_by("cursor")
        .values("cursor", "kind", "message", "payload", "created_at", "run__public_id")
    )
    return [dict(row) for row in rows]


def _log_events(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {
            "type": "log",
            "cursor": row["cursor"],
            "kind": row["kind"],
            "message": row["message"],
            "run": row["run__public_id"],
            "by": row["payload"].get("by", ""),
            "time": time_json(row["created_at"]),
        }
        if row["kind"] == Event.Kind.DECISION:
            yield {
                "type": "decision",
                "cursor": row["cursor"],
                "run": row["run__public_id"],
                **row["payload"],
            }


def _runs(sweep: Sweep, after: int, upto: int) -> list[Run]:
    """Return the runs that changed; another query each for repeated and for resumed ones."""
    changed = Run.objects.filter(sweep=sweep, stamp__gt=after, stamp__lte=upto)
    runs = list(changed.order_by("stamp"))
    # Most have neither, and asking for nothing costs as much as a query.
    repeated = [run for run in runs if run.retry_of_id or run.resumption_id]
    prefetch_related_objects(repeated, "retry_of", "resumption")
    for run in runs:
        run.sweep = sweep
    return runs


def _run_events(runs: Iterable[Run]) -> Iterator[dict[str, Any]]:
    for run in runs:
        yield {"type": "run", "cursor": run.stamp, "run": run_json(run)}


def _metrics_event(delta: Delta) -> dict[str, Any]:
    event = {
        "type": "metrics",
        "cursor": delta.cursor,
        "run": delta.public_id,
        "number": delta.number,
        "metric": delta.metric,
        "first": delta.first,
        "values": numbers_json(delta.values.tolist()),
        "steps": None if delta.steps is None else steps_json(delta.steps),
        "times": numbers_json(delta.times.tolist()),
    }
    if delta.texts:
        event["texts"] = {str(ordinal): text for ordinal, text in delta.texts.items()}
    return event


def _best_event(sweep: Sweep, public_id: str, number: int) -> dict[str, Any]:
    return {
        "type": "best",
        "cursor": sweep.best_stamp,
        "run": public_id,
        "number": number,
        "value": number_json(sweep.best_value),
    }
