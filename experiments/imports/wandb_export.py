"""Runs from what Weights & Biases exports: the CSV of its table of runs, the CSV or JSON that a
program makes of `config`, `summary` and `history` of its public API. Pure.
"""

from __future__ import annotations

import ast
import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from experiments.imports.build import Found, Given, split_constants
from experiments.imports.csv_runs import read_csv
from experiments.imports.observed import ObservedRun, ObservedSeries
from experiments.imports.values import moment_of, state_of
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief

_MAX_FIELD: Final = 10_000_000
_OWN: Final = "_"


def read_wandb(text: str, source: str, given: Given) -> Found:
    """Return the runs of a file that was exported from Weights & Biases.

    Raises:
        ProblemsError: it has none of the three forms, or something in it is wrong.
    """
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith(("[", "{")):
        return _from_entries(_json_entries(start), source, given)
    lines = text.splitlines(keepends=True)
    header = next(csv.reader(lines[:1]), [])
    if {"config", "summary"} <= set(header):
        return _from_entries(_csv_entries(lines), source, given)
    return read_csv(lines, source, given, kind="wandb")


def _json_entries(text: str) -> list[Mapping[str, Any]]:
    """Return the runs of a JSON list, of an object with `runs`, or of one object a line."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        try:
            raw = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise ProblemsError([Problem("", f"The file is no JSON: {error}.")]) from error
    if isinstance(raw, Mapping):
        raw = raw["runs"] if isinstance(raw.get("runs"), list) else [raw]
    if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
        text = "The file must be a list of runs, each with config, summary and perhaps history."
        raise ProblemsError([Problem("", text)])
    return raw


def _csv_entries(lines: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the runs of the CSV that the documented export program writes."""
    csv.field_size_limit(_MAX_FIELD)
    entries: list[Mapping[str, Any]] = []
    reader = csv.DictReader(lines)
    for row in reader:
        entry: dict[str, Any] = {"name": row.get("name") or "", "state": row.get("state") or ""}
        for column in ("config", "summary"):
            entry[column] = _object(row[column], f"line {reader.line_num}, column {column}")
        entries.append(entry)
    return entries


def _object(text: str | None, where: str) -> Any:
    """Return the object that a cell holds, as JSON or as Python writes it."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text or "{}")
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    raise ProblemsError([Problem(where, f"The cell is {brief(text)}; it must be an object.")])


def _from_entries(entries: Sequence[Mapping[str, Any]], source: str, given: Given) -> Found:
    problems: list[Problem] = []
    runs = [_run(entry, number, given, problems) for number, entry in enumerate(entries)]
    if problems:
        raise ProblemsError(problems[:50])
    split, notes = split_constants(runs, given.params, "Settings")
    return Found(
        kind="wandb",
        source=source,
        name=source.rpartition(".")[0] or source,
        runs=split,
        notes=notes,
    )


def _run(
    entry: Mapping[str, Any], number: int, given: Given, problems: list[Problem]
) -> ObservedRun:
    parts = {name: entry.get(name) or {} for name in ("config", "summary")}
    for name, part in parts.items():
        if not isinstance(part, Mapping):
            text = f"{name} is {brief(part)}; it must be an object."
            problems.append(Problem(f"runs[{number}].{name}", text))
            parts[name] = {}
    history = entry.get("history") or []
    if not isinstance(history, list) or not all(isinstance(row, Mapping) for row in history):
        problems.append(Problem(f"runs[{number}].history", "history must be a list of objects."))
        history = []
    word = str(entry.get("state") or "finished")
    state = state_of(word)
    if state is None:
        problems.append(Problem(f"runs[{number}].state", f"state is {brief(word)}; unknown."))
    created = moment_of(entry.get("created_at") or entry.get("createdAt") or "")
    names = {"id": "wandb.id", "name": "wandb.name"}
    series = list(_series(history) if history else _last(parts["summary"]))
    return ObservedRun(
        number=number,
        params=dict(_settings(parts["config"], given)),
        status=(state or ("Completed", ""))[0],
        end_reason=(state or ("", ""))[1],
        properties={key: str(entry[name])[:1000] for name, key in names.items() if entry.get(name)},
        created=created,
        started=created,
        ended=moment_of(entry.get("heartbeat_at") or entry.get("heartbeatAt") or ""),
        series=series,
    )


def _settings(config: Mapping[str, Any], given: Given, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the entries of a config by dotted names; the tool's own begin with `_`."""
    for key, value in config.items():
        name = f"{path}{key}"
        if str(key).startswith(_OWN) or name in given.ignored or value is None:
            continue
        # config.yaml has {"value": ..., "desc": ...}.
        plain = value
        if isinstance(value, Mapping) and "value" in value and set(value) <= {"value", "desc"}:
            plain = value["value"]
        if isinstance(plain, Mapping):
            yield from _settings(plain, given, f"{name}.")
        elif not (isinstance(plain, float) and not math.isfinite(plain)):
            yield name, plain


def _series(history: Sequence[Mapping[str, Any]]) -> Iterator[ObservedSeries]:
    names = dict.fromkeys(key for row in history for key in row if not key.startswith(_OWN))
    for name in names:
        rows = [row for row in history if _number(row.get(name)) is not None]
        if not rows:
            continue
        steps = [_number(row.get("_step")) for row in rows]
        times = [_number(row.get("_timestamp")) for row in rows]
        whole = [time for time in times if time is not None and math.isfinite(time)]
        yield ObservedSeries(
            name=name,
            values=[value for row in rows if (value := _number(row[name])) is not None],
            steps=steps if any(step is not None for step in steps) else None,
            times=whole if len(whole) == len(rows) else None,
        )


def _last(summary: Mapping[str, Any]) -> Iterator[ObservedSeries]:
    """Yield the last value of every metric: all that is known without a history."""
    step = _number(summary.get("_step"))
    for name, raw in summary.items():
        value = _number(raw)
        if value is not None and not name.startswith(_OWN):
            yield ObservedSeries(name, [value], None if step is None else [step])


def _number(raw: Any) -> float | None:
    if isinstance(raw, str) and raw in {"NaN", "Infinity", "-Infinity"}:
        return float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return float(raw)
