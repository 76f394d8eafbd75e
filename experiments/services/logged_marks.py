"""Store what an experiment tracker logs about a run beside metrics: parameters once, tags.

Parameters are the run's properties, written once; those that are its hyperparameters anyway are
not kept twice. The limits are those of trackers, wider than those of `run_marks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.db import transaction

from experiments.models import Run
from experiments.problems import Problem, ProblemsError
from experiments.services.events import bump, notify
from experiments.spec_command import format_value

MOST_MARKS: Final = 2000


def log_marks(
    run: Run,
    *,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    removed_tags: Iterable[str] = (),
) -> Run:
    """Add parameters, merge tags, remove tags, all or nothing; return the run as it is then.

    The same parameter with the same value may be logged again.

    Raises:
        ProblemsError: a parameter has another value already, or there are too many.
    """
    with transaction.atomic():
        # The bump locks the sweep's row: two requests do not lose each other's tags.
        cursor = bump(run.sweep_id)
        fresh = Run.objects.select_related("sweep__experiment__workspace").get(pk=run.pk)
        problems = _add_params(fresh, params or {})
        gone = set(removed_tags)
        kept = {name: text for name, text in fresh.tags.items() if name not in gone}
        changed = {**kept, **(tags or {})}
        if len(changed) > MOST_MARKS:
            problems.append(_too_many("tags", len(changed)))
        if problems:
            raise ProblemsError(problems)
        fresh.tags = changed
        fresh.stamp = cursor
        fresh.save(update_fields=["tags", "properties", "stamp"])
        notify(run.sweep_id, lists=False)
    return fresh


def _add_params(run: Run, params: Mapping[str, str]) -> list[Problem]:
    """Put new parameters into the properties of a run; return what is wrong with them."""
    problems = []
    added = {}
    for name, text in params.items():
        known = run.properties.get(name)
        if known is not None and known != text:
            message = (
                f"The parameter '{name}' is '{known}' already and cannot become '{text}'; "
                "parameters are written once."
            )
            problems.append(Problem(f"params.{name}", message))
        is_hyperparameter = name in run.params and format_value(run.params[name]) == text
        if known is None and not is_hyperparameter:
            added[name] = text
    run.properties = {**run.properties, **added}
    if len(run.properties) > MOST_MARKS:
        problems.append(_too_many("params", len(run.properties)))
    return problems


def _too_many(field: str, count: int) -> Problem:
    return Problem(field, f"The run would have {count} {field}; at most {MOST_MARKS}.")
