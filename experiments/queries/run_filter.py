"""Conditions on runs as a query: on columns of a run, on JSON, on the summaries of metrics.

A negated condition takes exactly the other runs, whatever NULL would say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from experiments.models import MetricSeries, Run, Sweep
from experiments.queries.json_values import JsonHas, JsonNumber, JsonText
from experiments.run_columns import Column, Kind, Source
from experiments.run_filter import Condition
from experiments.run_filter_values import (
    PREEMPTED,
    STATE_WORDS,
    STOPPED_EARLY,
    Moment,
    number_of,
)
from experiments.states import EndReason, RunState

_COMPARE: Final[dict[str, Any]] = {
    "<": LessThan,
    "<=": LessThanOrEqual,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
    "is": Exact,
}
_NUMBERS: Final = frozenset({Kind.NUMBER, Kind.COUNT, Kind.SIZE})
__all__ = ["filtered", "in_states", "order_of"]


def filtered(
    rows: QuerySet[Run], conditions: Sequence[Condition], sweep: Sweep, now: datetime
) -> QuerySet[Run]:
    """Return the runs that meet every condition; `now` is what relative times count from."""
    for condition in conditions:
        column = condition.column
        test = _anywhere(condition) if column is None else _test(condition, column, sweep, now)
        rows = rows.filter(_others(test) if condition.is_negated else test)
    return rows


def order_of(column: Column, sweep: Sweep, now: datetime, *, descending: bool) -> list[OrderBy]:
    """Return the order by a column: runs without a value last either way, then by number."""
    keys: list[Any] = [F("state"), F("end_reason")]
    if column.kind == Kind.VALUE:
        # Numbers stand before texts; neither order depends on the database's idea of JSON.
        keys = [JsonNumber(F("params"), column.name), JsonText(F("params"), column.name)]
    elif column.kind != Kind.STATE:
        keys = [_value_of(column, sweep, now)]
    ordered = [OrderBy(key, descending=descending, nulls_last=True) for key in keys]
    return ordered if column.key == "number" else [*ordered, OrderBy(F("number"))]


def in_states(states: frozenset[str]) -> Q:
    """Return the runs in these states; those stopped early and preempted have names of their own.

    Canceled leaves out what was stopped early, as the chips do.
    """
    early = Q(state=RunState.CANCELED, end_reason=EndReason.POLICY)
    chosen = Q(state__in=sorted(states - {STOPPED_EARLY, PREEMPTED, RunState.CANCELED}))
    if STOPPED_EARLY in states:
        chosen |= early
    if PREEMPTED in states:
        chosen |= Q(state=RunState.FAILED, end_reason=EndReason.PREEMPTED)
    if RunState.CANCELED in states:
        chosen |= Q(state=RunState.CANCELED) & ~early
    return chosen


def _others(test: Q) -> Q:
    """Return every run that does not meet the test: also where it is NULL instead of false."""
    met = Case(When(test, then=Value(True)), default=Value(False), output_field=BooleanField())
    return Q(Exact(met, Value(False)))


def _anywhere(condition: Condition) -> Q:
    word = str(condition.values[0])
    number = number_of(word)
    if number is not None and word.isdigit():
        return Q(Exact(ExpressionWrapper(F("number"), FloatField()), Value(number)))
    fields = ("public_id", "reason", "note", "worker_name")
    found = Q()
    for field in fields:
        found |= Q(IContains(F(field), Value(word)))
    return found


def _test(condition: Condition, column: Column, sweep: Sweep, now: datetime) -> Q:
    if condition.test in ("none", "any"):
        return _missing(column, sweep, now, is_missing=condition.test == "none")
    if condition.test == "nan":
        name = column.name if column.source == Source.METRICS else sweep.metric_name
        series = MetricSeries.objects.filter(run=OuterRef("pk"), name=name, has_nonfinite=True)
        return Q(Exists(series))
    if condition.test == "between":
        return _between(column, condition.values, sweep, now)
    tests = [_one(column, condition.test, value, sweep, now) for value in condition.values]
    found = tests[0]
    for test in tests[1:]:
        found |= test
    return found


def _one(column: Column, test: str, value: Any, sweep: Sweep, now: datetime) -> Q:
    if column.kind == Kind.STATE:
        return in_states(frozenset(STATE_WORDS[value]))
    if column.kind == Kind.MARKS:
        return _has_mark(column, value)
    if column.kind == Kind.TIME:
        return _when(column, test, value, sweep, now)
    if column.kind == Kind.VALUE:
        return _of_param(column, test, value)
    left = _value_of(column, sweep, now)
    if test == "has":
        return Q(IContains(left, Value(value)))
    return Q(_COMPARE[test](left, _literal(value)))


def _of_param(column: Column, test: str, value: Any) -> Q:
    number = JsonNumber(F("params"), column.name)
    if isinstance(value, float):
        return Q(_COMPARE[test](number, Value(value)))
    text = JsonText(F("params"), column.name)
    found = Q((IContains if test == "has" else Exact)(text, Value(value)))
    as_number = number_of(value)
    if as_number is not None:
        # A number is looked for as a whole: 32 is not found in 320.
        found = Q(Exact(text, Value(value))) | Q(Exact(number, Value(as_number)))
    return found


def _has_mark(column: Column, value: str) -> Q:
    """Return the runs with this tag or property: `name`, or `name=text`."""
    name, equals, text = value.partition("=")
    if equals and name:
        return Q(Exact(JsonText(F(column.name), name), Value(text)))
    return Q(JsonHas(F(column.name), value, output_field=BooleanField()))


def _between(column: Column, values: Sequence[Any], sweep: Sweep, now: datetime) -> Q:
    found = Q()
    for test, value in zip((">=", "<="), values, strict=True):
        if value is not None:
            found &= _one(column, test, value, sweep, now)
    return found


def _when(column: Column, test: str, moment: Moment, sweep: Sweep, now: datetime) -> Q:
    """Compare with a time; a whole day is from its begin to its end."""
    left = _value_of(column, sweep, now)
    begin = moment.resolve(now)
    end = begin + moment.span
    match test:
        case "<":
            return Q(LessThan(left, Value(begin)))
        case "<=":
            upto = LessThan if moment.span else LessThanOrEqual
            return Q(upto(left, Value(end)))
        case ">":
            after = GreaterThanOrEqual if moment.span else GreaterThan
            return Q(after(left, Value(end)))
        case ">=":
            return Q(GreaterThanOrEqual(left, Value(begin)))
        case _:
            # `:-2h` means: within the last two hours.
            end = end if moment.span else now
            return Q(GreaterThanOrEqual(left, Value(begin))) & Q(LessThanOrEqual(left, Value(end)))


def _missing(column: Column, sweep: Sweep, now: datetime, *, is_missing: bool) -> Q:
    if column.kind == Kind.MARKS:
        empty = Q(**{column.name: {}})
        return empty if is_missing else ~empty
    if column.kind == Kind.VALUE:
        of_param = (JsonNumber(F("params"), column.name), JsonText(F("params"), column.name))
        empty = Q(IsNull(of_param[0], True)) & Q(IsNull(of_param[1], True))
        return empty if is_missing else ~empty
    if column.kind == Kind.MARK:
        has = Q(JsonHas(F(column.source), column.name, output_field=BooleanField()))
        return _others(has) if is_missing else has
    left = _value_of(column, sweep, now)
    if column.kind in {Kind.TEXT, Kind.WORD, Kind.STATE}:
        empty = Q(Exact(left, Value("")))
        return empty if is_missing else ~empty
    return Q(IsNull(left, is_missing))


def _literal(value: Any) -> Value:
    return (
        Value(value, output_field=DurationField()) if isinstance(value, timedelta) else Value(value)
    )


def _value_of(column: Column, sweep: Sweep, now: datetime) -> Any:
    if column.source == Source.METRICS:
        series = MetricSeries.objects.filter(run=OuterRef("pk"), name=column.name)
        return Subquery(series.values(column.part)[:1])
    if column.kind == Kind.MARK:
        return JsonText(F(column.source), column.name)
    if column.kind == Kind.DURATION:
        return _SPANS[column.name](now)
    if column.kind in _NUMBERS:
        return ExpressionWrapper(F(column.name), FloatField())
    return F(column.name)


def _span(start: str, *ends: str) -> Callable[[datetime], Any]:
    """Return what makes the time from one field to the first that is set, or until now."""

    def of(now: datetime) -> Any:
        until = Coalesce(*map(F, ends), Value(now, output_field=DateTimeField()))
        return ExpressionWrapper(until - F(start), DurationField())

    return of


_SPANS: Final = {
    "duration": _span("started_at", "ended_at"),
    # A run that was canceled before it started waits no longer.
    "waited": _span("created_at", "started_at", "ended_at"),
}
