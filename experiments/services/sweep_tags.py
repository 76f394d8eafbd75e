"""Tags of a sweep: changed at once, also after its end; its specification stays as submitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from experiments.models import Event, Sweep
from experiments.problems import Problem, ProblemsError
from experiments.services.events import bump, notify, write_event
from experiments.services.run_marks import mark_problems, too_many_marks
from experiments.storable import is_storable


def change_sweep_tags(
    sweep: Sweep, *, added: Mapping[str, Any], removed: Iterable[str], user: User
) -> Sweep:
    """Merge tags into those of a sweep and take others away; return it as it is afterwards.

    Raises:
        ProblemsError: a name or text is too long or cannot be stored, or there are too many.
    """
    problems = [*mark_problems("tags", added), *_unstorable(added)]
    gone = set(removed)
    with transaction.atomic():
        # The bump locks the row: two people who tag one sweep lose no tag.
        cursor = bump(sweep.pk)
        fresh = Sweep.objects.get(pk=sweep.pk)
        before = dict(fresh.tags)
        kept = {name: text for name, text in before.items() if name not in gone}
        fresh.tags = {**kept, **added}
        problems += too_many_marks("tags", fresh.tags, "The sweep")
        if problems:
            raise ProblemsError(problems)
        if fresh.tags != before:
            fresh.save(update_fields=["tags"])
            message = f"Tags: {_told(before, fresh.tags)} by {user.get_username()}"
            write_event(sweep.pk, cursor, Event.Kind.NOTICE, message, by=user)
            notify(sweep.pk)
    return fresh


def _unstorable(tags: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem("tags", f"{name!a} has a null character or half a character; remove it.")
        for name, text in tags.items()
        if not is_storable(f"{name}{text or ''}")
    ]


def _told(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    set_now = [_written(n, t) for n, t in after.items() if n not in before or before[n] != t]
    gone = [f"without {name}" for name in before if name not in after]
    return ", ".join([*set_now, *gone])


def _written(name: str, text: Any) -> str:
    return name if text in (None, "") else f"{name}={text}"
