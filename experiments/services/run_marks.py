"""Change what is written on a run: tags, which may change, and properties, which stay.

Every change is checked as a whole before anything is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from django.db import transaction

from experiments.models import Run, Sweep
from experiments.problems import Problem, ProblemsError
from experiments.services.events import bump, notify

MAX_MARKS: Final = 50
MAX_KEY: Final = 100
MAX_VALUE: Final = 1000


def change_marks(
    run: Run,
    *,
    tags: Mapping[str, str | None],
    removed_tags: Iterable[str],
    properties: Mapping[str, str],
) -> Run:
    """Merge tags, remove tags, add properties; return the run as it is afterwards.

    Raises:
        ProblemsError: a name or text is too long, there are too many, or a property exists.
    """
    problems = [*mark_problems("tags", tags), *mark_problems("properties", properties)]
    with transaction.atomic():
        # The bump locks the sweep's row: two scripts that tag one run do not lose a tag.
        cursor = bump(run.sweep_id)
        fresh = Run.objects.select_related("sweep", "retry_of").get(pk=run.pk)
        gone = set(removed_tags)
        kept = {name: text for name, text in fresh.tags.items() if name not in gone}
        fresh.tags = {**kept, **tags}
        problems += [
            Problem(f"properties.{name}", f"{name} is {fresh.properties[name]!r} for good.")
            for name in properties
            if name in fresh.properties
        ]
        fresh.properties = {**fresh.properties, **properties}
        problems += too_many_marks("tags", fresh.tags)
        problems += too_many_marks("properties", fresh.properties)
        if problems:
            raise ProblemsError(problems)
        fresh.stamp = cursor
        fresh.save(update_fields=["tags", "properties", "stamp"])
        notify(run.sweep_id, lists=False)
    return fresh


def tag_runs(
    sweep: Sweep,
    run_ids: Collection[int],
    *,
    added: Mapping[str, str | None],
    removed: Iterable[str],
) -> int:
    """Merge tags into those of many runs and take others away; return how many runs changed.

    Raises:
        ProblemsError: a name or text is too long, or a run would have too many; nothing is changed.
    """
    problems = mark_problems("tags", added)
    gone = set(removed)
    with transaction.atomic():
        cursor = bump(sweep.pk)
        changed = []
        for run in Run.objects.filter(sweep=sweep, pk__in=list(run_ids)).only("number", "tags"):
            kept = {name: text for name, text in run.tags.items() if name not in gone}
            tags = {**kept, **added}
            if tags != run.tags:
                run.tags = tags
                run.stamp = cursor
                changed.append(run)
                problems += too_many_marks("tags", tags, f"Run {run.number}")
        if problems:
            raise ProblemsError(problems[:10])
        Run.objects.bulk_update(changed, ["tags", "stamp"], batch_size=200)
        notify(sweep.pk, lists=False)
    return len(changed)


def mark_problems(field: str, marks: Mapping[str, str | None]) -> list[Problem]:
    """Return what is wrong with names and texts."""
    problems = []
    for name, text in marks.items():
        if not 0 < len(name) <= MAX_KEY:
            message = f"The name has {len(name)} characters; use 1 to {MAX_KEY}."
            problems.append(Problem(f"{field}.{name[:MAX_KEY]}", message))
        elif text is not None and len(text) > MAX_VALUE:
            message = f"{name} has {len(text)} characters; use at most {MAX_VALUE}."
            problems.append(Problem(f"{field}.{name}", message))
    return problems


def too_many_marks(
    field: str, marks: Mapping[str, str | None], who: str = "The run"
) -> list[Problem]:
    """Return the problem of more marks than one may have."""
    if len(marks) <= MAX_MARKS:
        return []
    return [Problem(field, f"{who} would have {len(marks)} {field}; at most {MAX_MARKS}.")]
