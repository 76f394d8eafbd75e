"""Runs from a CSV file: a row is a run, or a report of the run that a column names. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from experiments.imports.build import Found, Given
from experiments.imports.csv_columns import Roles, read_header
from experiments.imports.observed import ObservedRun, ObservedSeries
from experiments.imports.values import (
    STATE_WORDS,
    metric_value,
    moment_of,
    state_of,
    typed,
    unquoted,
)
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief, identity

_MAX_PROBLEMS: Final = 50
_MAX_CELL: Final = 1_000_000


@dataclass(slots=True)
class _Series:
    values: list[float] = field(default_factory=list)
    steps: list[float | None] = field(default_factory=list)
    times: list[float | None] = field(default_factory=list)


@dataclass(slots=True)
class _Run:
    """A run as its rows say it so far; `line` is the first of them."""

    line: int
    params: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str | None] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    series: dict[str, _Series] = field(default_factory=dict)


def read_csv(lines: Iterable[str], source: str, given: Given, *, kind: str = "csv") -> Found:
    """Return the runs of a CSV file.

    Raises:
        ProblemsError: everything that is wrong, each with its line and column.
    """
    csv.field_size_limit(_MAX_CELL)
    reader = csv.reader(lines)
    problems: list[Problem] = []
    try:
        header = next(reader, None)
        if not header or not any(header):
            raise ProblemsError([Problem("line 1", f"{source} is empty; it needs a header.")])
        roles = read_header(header, given)
        runs = _read_rows(reader, header, roles, problems)
    except csv.Error as error:
        raise ProblemsError([Problem(f"line {reader.line_num}", f"No CSV: {error}.")]) from error
    if problems:
        raise ProblemsError(problems)
    metric = next(iter(roles.metrics.values()), "")
    return Found(
        kind=kind,
        source=source,
        name=source.rpartition(".")[0] or source,
        runs=[_observed(run, number) for number, run in enumerate(runs)],
        metric=metric if len(roles.metrics) == 1 else "",
        notes=roles.notes,
    )


def _read_rows(reader: Any, header: list[str], roles: Roles, problems: list[Problem]) -> list[_Run]:
    runs: dict[str, _Run] = {}
    key_place = roles.places.get("run")
    for row in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            text = f"The line has {len(row)} cells and the header {len(header)}."
            problems.append(Problem(f"line {line}", text))
        else:
            key = row[key_place] if key_place is not None else str(line)
            run = runs.setdefault(key, _Run(line))
            _Row(row, line, header, roles, problems).add_to(run)
        if len(problems) >= _MAX_PROBLEMS:
            break
    return list(runs.values())


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the file."""

    cells: list[str]
    line: int
    header: list[str]
    roles: Roles
    problems: list[Problem]

    def add_to(self, run: _Run) -> None:
        """Add what the line says to its run."""
        for i, name in self.roles.params.items():
            value = typed(self.cells[i])
            if value is None:
                continue
            if name in run.params and identity(run.params[name]) != identity(value):
                was = f"{brief(run.params[name])} in line {run.line}"
                self._wrong(i, f"but {was}; a run has one value of each hyperparameter")
            run.params.setdefault(name, value)
        for i, name in self.roles.tags.items():
            if self.cells[i]:
                run.tags[name[:100]] = unquoted(self.cells[i])[:1000]
        self._add_state(run)
        self._add_times(run)
        self._add_reports(run)

    def _add_reports(self, run: _Run) -> None:
        step, time = self._number("step"), None
        if (place := self.roles.places.get("time")) is not None and self.cells[place]:
            time = self._moment(place)
        for i, name in self.roles.metrics.items():
            if not self.cells[i].strip():
                continue
            value = metric_value(self.cells[i])
            if value is None:
                self._wrong(i, "and no number; use a number, NaN, Infinity or nothing")
                continue
            series = run.series.setdefault(name, _Series())
            series.values.append(value)
            series.steps.append(step)
            series.times.append(None if time is None else time.timestamp())

    def _add_state(self, run: _Run) -> None:
        place = self.roles.places.get("status")
        if place is not None and self.cells[place].strip():
            found = state_of(self.cells[place])
            if found is None:
                self._wrong(place, f"and no state; use {STATE_WORDS}")
            else:
                run.states = {"status": found[0], "end_reason": found[1]}
        reason = self.roles.places.get("reason")
        if reason is not None and self.cells[reason]:
            run.states["reason"] = unquoted(self.cells[reason])[:3000]

    def _add_times(self, run: _Run) -> None:
        for role in ("created", "started", "ended"):
            place = self.roles.places.get(role)
            if place is not None and self.cells[place].strip():
                moment = self._moment(place)
                if moment is not None:
                    run.times[role] = moment

    def _moment(self, place: int) -> datetime | None:
        text = self.cells[place]
        number = metric_value(text)
        moment = moment_of(text if number is None else number)
        if moment is None:
            self._wrong(place, "and no time; use ISO 8601 or Unix seconds")
        return moment

    def _number(self, role: str) -> float | None:
        place = self.roles.places.get(role)
        if place is None or not self.cells[place].strip():
            return None
        value = metric_value(self.cells[place])
        if value is None or value != value:
            self._wrong(place, "and no number; a step is a number")
            return None
        return value

    def _wrong(self, place: int, text: str) -> None:
        column = self.header[place]
        where = f"line {self.line}, column {column}"
        self.problems.append(Problem(where, f"{column} is {brief(self.cells[place])} {text}."))


def _observed(run: _Run, number: int) -> ObservedRun:
    series = [_observed_series(name, found) for name, found in run.series.items()]
    return ObservedRun(
        number=number,
        params=run.params,
        tags=run.tags,
        created=run.times.get("created") or run.times.get("started"),
        started=run.times.get("started"),
        ended=run.times.get("ended"),
        series=series,
        status=run.states.get("status", "Completed"),
        end_reason=run.states.get("end_reason", ""),
        reason=run.states.get("reason", ""),
    )


def _observed_series(name: str, found: _Series) -> ObservedSeries:
    has_times = any(time is not None for time in found.times)
    return ObservedSeries(
        name=name,
        values=found.values,
        steps=found.steps if any(step is not None for step in found.steps) else None,
        times=list(_all_times(found.times)) if has_times else None,
    )


def _all_times(times: list[float | None]) -> Iterator[float]:
    """Yield a time for every report: one without is as old as the one before it."""
    last = next(time for time in times if time is not None)
    for time in times:
        last = last if time is None else time
        yield last
