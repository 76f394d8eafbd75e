"""Runs as MLflow clients search them: conditions of experiments.mlflow_filter as queries.

A parameter is what the script logged under its name, else the hyperparameter; comparisons find
only runs that have what is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast, Coalesce, Concat
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IRegex,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Regex,
)

from experiments.mlflow_filter import NUMERIC, FilterError, Order, Term
from experiments.models import MetricSeries, Run
from experiments.queries.json_values import JsonHas, JsonNumber, JsonText
from experiments.run_filter_values import number_of
from experiments.states import RunState

RUN_NAME: Final = "mlflow.runName"
# The words of MLflow for what a run does, or how it ended.
STATUSES: Final[dict[str, str]] = {
    RunState.NOT_STARTED: "SCHEDULED",
    RunState.QUEUED: "SCHEDULED",
    RunState.STARTING: "RUNNING",
    RunState.RUNNING: "RUNNING",
    RunState.FINALIZING: "RUNNING",
    RunState.CANCEL_REQUESTED: "RUNNING",
    RunState.NOT_RESPONDING: "RUNNING",
    RunState.COMPLETED: "FINISHED",
    RunState.FAILED: "FAILED",
    RunState.CANCELED: "KILLED",
}
# Tags that no script wrote; the others that the studio shows are not searched.
_OWN_TAGS: Final = {
    "studio.sweep": "sweep__public_id",
    "studio.sweepName": "sweep__name",
    "mlflow.user": "sweep__owner__username",
}
_COMPARE: Final[dict[str, Any]] = {
    "=": Exact,
    "<": LessThan,
    "<=": LessThanOrEqual,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
}


def found_runs(rows: QuerySet[Run], terms: Iterable[Term]) -> QuerySet[Run]:
    """Return the runs that meet every term.

    Raises:
        FilterError: a status that there is not.
    """
    for term in terms:
        rows = rows.filter(_test(term))
    return rows


def in_order(rows: QuerySet[Run], orders: Sequence[Order]) -> QuerySet[Run]:
    """Return the runs in an order: those without a value last, then the newest start first."""
    keys: list[Any] = []
    for order in orders:
        keys += [
            OrderBy(key, descending=order.descending, nulls_last=True)
            for key in _order_keys(order.kind, order.key)
        ]
    return rows.order_by(*keys, OrderBy(F("started_at"), descending=True, nulls_last=True), "-pk")


def _test(term: Term) -> Q:
    if term.test in ("NULL", "NOT NULL"):
        missing = _missing(term)
        return missing if term.test == "NULL" else _others(missing)
    if term.kind == "attributes" and term.key == "status":
        return _of_status(term)
    if term.kind == "attributes" and term.key in NUMERIC:
        return _of_time(term)
    if term.test in ("!=", "NOT IN"):
        return _others(_missing(term)) & _others(_equal(term))
    if term.test in ("=", "IN"):
        return _equal(term)
    if term.test in ("LIKE", "ILIKE"):
        lookup = Regex if term.test == "LIKE" else IRegex
        pattern = Value(_regex(str(term.values[0])))
        tests = [Q(lookup(text, pattern)) for text in _texts(term)]
        return _any_of(tests)
    return Q(_COMPARE[term.test](_metric(term.key), Value(float(term.values[0]))))


def _equal(term: Term) -> Q:
    if term.kind == "metrics":
        return Q(Exact(_metric(term.key), Value(float(term.values[0]))))
    tests = [Q(Exact(text, Value(str(v)))) for text in _texts(term) for v in term.values]
    if term.kind == "params":
        logged = Q(JsonHas(F("properties"), term.key, output_field=BooleanField()))
        for value in term.values:
            number = number_of(str(value))
            if number is not None:
                same = Q(Exact(JsonNumber(F("params"), term.key), Value(number)))
                tests.append(_others(logged) & same)
    return _any_of(tests)


def _any_of(tests: Sequence[Q]) -> Q:
    found = tests[0]
    for test in tests[1:]:
        found |= test
    return found


def _others(test: Q) -> Q:
    """Return every run that does not meet the test: also where it is NULL instead of false."""
    met = Case(When(test, then=Value(True)), default=Value(False), output_field=BooleanField())
    return Q(Exact(met, Value(False)))


def _missing(term: Term) -> Q:
    if term.kind == "metrics":
        return Q(IsNull(_metric(term.key), True))
    if term.kind == "params":
        has = Q(JsonHas(F("properties"), term.key, output_field=BooleanField()))
        has |= Q(JsonHas(F("params"), term.key, output_field=BooleanField()))
        return _others(has)
    if term.kind == "tags" and term.key not in _OWN_TAGS:
        return _others(Q(JsonHas(F("tags"), term.key, output_field=BooleanField())))
    if term.kind == "attributes" and term.key in NUMERIC:
        return Q(IsNull(_time(term.key), True))
    return Q(IsNull(_texts(term)[0], True))


def _time(name: str) -> F:
    return F("started_at" if name == "start_time" else "ended_at")


def _texts(term: Term) -> list[Any]:
    """Return what a text is compared with; of several, any may match."""
    if term.kind == "params":
        logged = JsonText(F("properties"), term.key)
        return [Coalesce(logged, JsonText(F("params"), term.key))]
    if term.kind == "tags":
        own = _OWN_TAGS.get(term.key)
        return [F(own) if own else JsonText(F("tags"), term.key)]
    fields = {"run_id": F("public_id"), "user_id": F("sweep__owner__username")}
    return [fields.get(term.key) or _run_name()]


def _run_name() -> Any:
    number = Cast("number", CharField())
    plain = Concat("sweep__name", Value(" / "), number, output_field=CharField())
    return Coalesce(JsonText(F("tags"), RUN_NAME), plain, output_field=CharField())


def _metric(name: str) -> Subquery:
    series = MetricSeries.objects.filter(run=OuterRef("pk"), name=name)
    return Subquery(series.values("last_value")[:1])


def _of_status(term: Term) -> Q:
    states: set[str] = set()
    known = sorted(set(STATUSES.values()))
    for value in term.values:
        word = str(value).upper()
        if word not in known:
            raise FilterError(f"'{value}' is not a status; use {', '.join(known)}.")
        states |= {state for state, status in STATUSES.items() if status == word}
    chosen = Q(state__in=sorted(states))
    if term.test in ("=", "IN"):
        return chosen
    if term.test in ("!=", "NOT IN"):
        return ~chosen
    raise FilterError(f"status is compared with =, !=, IN or NOT IN, not with {term.test}.")


def _of_time(term: Term) -> Q:
    """Compare a time with milliseconds since 1970; equal is the same millisecond."""
    left = _time(term.key)
    try:
        begin = datetime.fromtimestamp(float(term.values[0]) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise FilterError(f"{term.key} is no time: {term.values[0]!r}.") from None
    end = Value(begin + timedelta(milliseconds=1))
    same = Q(GreaterThanOrEqual(left, Value(begin))) & Q(LessThan(left, end))
    match term.test:
        case "=":
            return same
        case "!=":
            return Q(IsNull(left, False)) & _others(same)
        case "<=":
            return Q(LessThan(left, end))
        case ">":
            return Q(GreaterThanOrEqual(left, end))
    return Q(_COMPARE[term.test](left, Value(begin)))


def _regex(pattern: str) -> str:
    parts = {"%": ".*", "_": "."}
    return "^" + "".join(parts.get(char) or re.escape(char) for char in pattern) + "$"


def _order_keys(kind: str, key: str) -> list[Any]:
    if kind == "metrics":
        return [_metric(key)]
    if kind == "params":
        return [JsonNumber(F("params"), key), *_texts(Term(kind, key, "="))]
    if kind == "attributes" and key in NUMERIC:
        return [_time(key)]
    if kind == "attributes" and key == "status":
        return [F("state")]
    return _texts(Term(kind, key, "="))
