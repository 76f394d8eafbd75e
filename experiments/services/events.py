"""The change feed of a sweep: its cursor, its log, and the hint to whoever watches.

A change bumps `sweep.cursor` in its own transaction and stamps what it changed with the new value.
The bump locks the sweep's row, so stamps appear in the order of the commits.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from experiments.models import Event, Sweep
from experiments.services import broadcast

# One statement instead of UPDATE and SELECT; SQLite >= 3.35 and PostgreSQL know RETURNING.
_BUMP = 'UPDATE "{}" SET "cursor" = "cursor" + %s WHERE "id" = %s RETURNING "cursor"'


def bump(sweep_id: int, *, by: int = 1) -> int:
    """Move the cursor of a sweep on and return it; call inside a transaction, before other writes.

    Every writer takes the sweep's row first, so two of them never wait for each other.

    Raises:
        Sweep.DoesNotExist: there is no such sweep.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BUMP.format(Sweep._meta.db_table), [by, sweep_id])
        row = cursor.fetchone()
    if row is None:
        raise Sweep.DoesNotExist(f"There is no sweep with key {sweep_id}.")
    return int(row[0])


def append_event(
    sweep_id: int,
    kind: Event.Kind,
    message: str,
    *,
    run_id: int | None = None,
    payload: dict[str, Any] | None = None,
    by: User | None = None,
) -> int:
    """Add a line of its own to the log of a sweep: bumps the cursor, tells the watchers."""
    with transaction.atomic():
        cursor = bump(sweep_id)
        write_event(sweep_id, cursor, kind, message, run_id=run_id, payload=payload, by=by)
        notify(sweep_id)
    return cursor


def write_event(
    sweep_id: int,
    cursor: int,
    kind: Event.Kind,
    message: str,
    *,
    run_id: int | None = None,
    payload: dict[str, Any] | None = None,
    by: User | None = None,
) -> None:
    """Write the log line of a change that has already bumped the cursor to `cursor`.

    `by` is who wanted it, when a person did; the name is kept, also of people who leave.
    """
    Event.objects.create(
        sweep_id=sweep_id,
        run_id=run_id,
        cursor=cursor,
        kind=kind,
        message=message,
        payload={**(payload or {}), **told_by(by)},
    )


def told_by(user: User | None) -> dict[str, str]:
    """Return the part of a payload that says which person wanted a change."""
    return {} if user is None else {"by": user.get_username()}


def notify(sweep_id: int, *, lists: bool = True) -> None:
    """Tell the watchers of a sweep, and of lists of sweeps, once the transaction is committed."""
    transaction.on_commit(partial(_publish, sweep_id, lists=lists), robust=True)


def sweep_group(sweep_id: int) -> str:
    """Return the name of the channel group of a sweep's watchers."""
    return f"sweep.{sweep_id}"


LIST_GROUP = "sweeps"


def _publish(sweep_id: int, *, lists: bool) -> None:
    message = {"type": "sweep.changed", "sweep": sweep_id}
    groups = [sweep_group(sweep_id), LIST_GROUP] if lists else [sweep_group(sweep_id)]
    broadcast.publish(groups, message)
