"""Conditions on runs across many sweeps: each sweep reads the filter with its own columns.

`accuracy>0.9` is the best value where accuracy is the primary metric, another metric elsewhere, and
nothing where there is no such name. Sweeps that read it in the same way share one query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from experiments.models import MetricSeries, Run, Sweep
from experiments.problems import ProblemsError
from experiments.queries.run_filter import filtered
from experiments.run_columns import Columns, Names, Source
from experiments.run_filter import Condition, parse_filter
from experiments.run_filter_terms import Term, split_terms, unquote

# The newest sweeps whose runs are looked through.
MOST_SWEEPS: Final = 2000
_SUFFIXES: Final = (".min", ".max", ".last")


@dataclass(frozen=True, slots=True)
class _Shape:
    """What columns are made of; sweeps of one shape read a filter in the same way."""

    metric: str
    goal: str
    params: tuple[str, ...]
    metrics: tuple[str, ...]

    def columns(self) -> Columns:
        return Columns(
            Names(metric=self.metric, goal=self.goal, params=self.params, metrics=self.metrics)
        )


def runs_meeting(sweeps: QuerySet[Sweep], text: str, now: datetime) -> QuerySet[Run]:
    """Return the runs of these sweeps that meet a filter; two queries are made at once.

    Raises:
        ProblemsError: no sweep can read it: the names or values in it are wrong.
    """
    known = list(
        sweeps.order_by("-pk").values_list("pk", "metric_name", "goal", "spec")[:MOST_SWEEPS]
    )
    metrics = _metrics_named(sweeps, split_terms(text))
    shapes: dict[_Shape, list[int]] = {}
    for key, metric, goal, spec in known:
        shape = _Shape(metric, goal, tuple(spec["search_space"]), metrics.get(key, ()))
        shapes.setdefault(shape, []).append(key)
    _check(text, list(shapes))
    groups: dict[Any, tuple[list[Condition], str, list[int]]] = {}
    for shape, keys in shapes.items():
        try:
            conditions = parse_filter(text, shape.columns())
        except ProblemsError:
            continue  # another sweep can read it
        group = groups.setdefault(_meaning(conditions, shape), (conditions, shape.metric, []))
        group[2].extend(keys)
    return _of_groups(list(groups.values()), now)


def _of_groups(
    groups: Sequence[tuple[list[Condition], str, list[int]]], now: datetime
) -> QuerySet[Run]:
    found = [
        filtered(Run.objects.filter(sweep__in=keys), conditions, Sweep(metric_name=metric), now)
        for conditions, metric, keys in groups
    ]
    if not found:
        return Run.objects.none()
    if len(found) == 1:
        return found[0]
    anywhere = Q()
    for rows in found:
        anywhere |= Q(pk__in=rows.order_by().values("pk"))
    return Run.objects.filter(anywhere)


def _check(text: str, shapes: Sequence[_Shape]) -> None:
    """Refuse what no sweep could read, with everything that any of them knows to choose from."""
    params = dict.fromkeys(name for shape in shapes for name in shape.params)
    metrics = dict.fromkeys(
        name for shape in shapes for name in (shape.metric, *shape.metrics) if name not in params
    )
    names = Names(metric="", goal="maximize", params=list(params), metrics=list(metrics))
    parse_filter(text, Columns(names))


def _metrics_named(sweeps: QuerySet[Sweep], terms: Iterable[Term]) -> Mapping[int, tuple[str, ...]]:
    """Return which metrics that the terms may mean each sweep has logged."""
    names = {_metric_of(unquote(term.name)) for term in terms if term.sign}
    plain = Columns(Names(metric="", goal="maximize", params=()))
    wanted = sorted(name for name in names if name and plain.find(name) is None)
    if not wanted:
        return {}
    rows = (
        MetricSeries.objects.filter(name__in=wanted, run__sweep__in=sweeps.order_by().values("pk"))
        .order_by()
        .values_list("run__sweep", "name")
        .distinct()
    )
    found: dict[int, tuple[str, ...]] = {}
    for key, name in sorted(rows):
        found[key] = (*found.get(key, ()), name)
    return found


def _metric_of(name: str) -> str:
    bare = name.removeprefix("metrics.").removeprefix("metric.")
    return next((bare.removesuffix(s) for s in _SUFFIXES if bare.endswith(s)), bare)


def _meaning(conditions: Sequence[Condition], shape: _Shape) -> Any:
    """Return what a query depends on: the labels of columns differ, what they stand for may not."""
    parts: list[Any] = []
    for one in conditions:
        column = one.column
        place = None if column is None else (column.source, column.name, column.part, column.kind)
        of_metric = shape.metric if one.test == "nan" and _is_own(one) else ""
        parts.append((place, one.test, one.values, one.is_negated, of_metric))
    return tuple(parts)


def _is_own(condition: Condition) -> bool:
    return condition.column is not None and condition.column.source != Source.METRICS
