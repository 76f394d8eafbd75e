"""The JSON document of an ended sweep: what `studio export --format json` writes and imports read.

Owns the format and its checks; every problem is reported at once with its path. Numbers that JSON
cannot write are the strings "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from experiments.imports.fields import Fields, number_of
from experiments.imports.observed import ObservedRun, ObservedSeries, ObservedSweep
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief
from experiments.spec_warm_start import MAX_CHAIN_RUNS
from experiments.storable import unstorable_texts

FORMAT: Final = "sweep-studio/sweep"
VERSION: Final = 1
# A sweep has at most a thousand runs of its own, each repeated a few times.
MAX_RUNS: Final = 5 * MAX_CHAIN_RUNS
_MAX_PROBLEMS: Final = 50
_NO_FORMAT: Final = (
    f'The document has no "format": "{FORMAT}"; it must be a file of `studio export --format json`.'
)


def header_json(observed: ObservedSweep) -> dict[str, Any]:
    """Return the document without its runs."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "kind": observed.kind,
        "source": observed.source,
        "sweep": {
            "spec": dict(observed.spec),
            "status": observed.status,
            "end_reason": observed.end_reason,
            "reason": observed.reason,
            "seed": observed.seed,
            "created": _time_json(observed.created),
            "started": _time_json(observed.started),
            "ended": _time_json(observed.ended),
        },
    }


def run_json(run: ObservedRun, *, with_metrics: bool = True) -> dict[str, Any]:
    """Return one run of the document."""
    found: dict[str, Any] = {
        "number": run.number,
        "status": run.status,
        "end_reason": run.end_reason,
        "reason": run.reason,
        "hyperparameters": dict(run.params),
        "arguments": None if run.arguments is None else list(run.arguments),
        "note": run.note,
        "origin": run.origin,
        "retry_of": run.retry_of,
        "tags": dict(run.tags),
        "properties": dict(run.properties),
        "worker": run.worker,
        "host": run.host,
        "exit_code": run.exit_code,
        "created": _time_json(run.created),
        "started": _time_json(run.started),
        "ended": _time_json(run.ended),
    }
    if with_metrics:
        found["metrics"] = [series_json(series) for series in run.series]
    return found


def series_json(series: ObservedSeries) -> dict[str, Any]:
    """Return all reports of one metric as JSON can carry them."""
    return {
        "name": series.name,
        "values": [v if isinstance(v, str) else _number_json(v) for v in series.values],
        "steps": None if series.steps is None else [_number_json(s) for s in series.steps],
        "times": None if series.times is None else list(series.times),
    }


def write_document(header: Mapping[str, Any], runs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the text of a document piece by piece, a run a line."""
    head = json.dumps(dict(header), ensure_ascii=False, allow_nan=False)
    yield f'{head[:-1]}, "runs": ['
    separator = "\n"
    for run in runs:
        yield separator + json.dumps(run, ensure_ascii=False, allow_nan=False)
        separator = ",\n"
    yield "\n]}\n"


def document_of(observed: ObservedSweep) -> Iterator[str]:
    """Yield the text of the document of an observed sweep."""
    return write_document(header_json(observed), (run_json(run) for run in observed.runs))


def digest_of(observed: ObservedSweep) -> str:
    """Return the SHA-256 of what was observed, hex: the same content has the same one."""
    digest = hashlib.sha256()
    for part in (header_json(observed)["sweep"], *(run_json(run) for run in observed.runs)):
        digest.update(json.dumps(part, sort_keys=True).encode())
    return digest.hexdigest()


def read_document(raw: Any) -> ObservedSweep:
    """Return the sweep that a document describes; its specification is not read yet.

    Raises:
        ProblemsError: with everything that is wrong, each with its path.
    """
    if not isinstance(raw, Mapping):
        raise ProblemsError([Problem("", f"The document is {brief(raw)}; it must be an object.")])
    if raw.get("format") != FORMAT:
        raise ProblemsError([Problem("format", _NO_FORMAT)])
    problems: list[Problem] = []
    top = Fields(raw, "", problems)
    if raw.get("version") != VERSION:
        text = f"version is {brief(raw.get('version'))}; this studio reads version {VERSION}."
        problems.append(Problem("version", text))
    sweep = top.inner("sweep")
    spec = sweep.mapping("spec")
    runs = list(_runs(raw.get("runs"), problems))
    problems += unstorable_texts({"spec": spec}, "sweep")
    _check_numbers(runs, problems)
    observed = ObservedSweep(
        kind=top.text("kind", 20) or "json",
        source=top.text("source", 500) or "a document",
        spec=spec,
        runs=runs,
        status=sweep.text("status", 20),
        end_reason=sweep.text("end_reason", 20),
        reason=sweep.text("reason", 10_000),
        seed=sweep.whole("seed", bits=62),
        created=sweep.time("created"),
        started=sweep.time("started"),
        ended=sweep.time("ended"),
    )
    if problems:
        raise ProblemsError(problems[:_MAX_PROBLEMS])
    return observed


def _runs(raw: Any, problems: list[Problem]) -> Iterator[ObservedRun]:
    if not isinstance(raw, list) or not raw:
        problems.append(Problem("runs", f"runs is {brief(raw)}; give a list of runs, not empty."))
        return
    if len(raw) > MAX_RUNS:
        text = f"There are {len(raw)} runs; at most {MAX_RUNS} can be imported at once."
        problems.append(Problem("runs", text))
        return
    for i, run in enumerate(raw):
        if not isinstance(run, Mapping):
            problems.append(
                Problem(f"runs[{i}]", f"The run is {brief(run)}; it must be an object.")
            )
        else:
            yield _run(Fields(run, f"runs[{i}]", problems), i)
        if len(problems) >= _MAX_PROBLEMS:
            return


def _run(run: Fields, place: int) -> ObservedRun:
    number = run.whole("number", bits=30)
    params = run.mapping("hyperparameters")
    run.problems.extend(unstorable_texts(params, f"{run.path}.hyperparameters"))
    return ObservedRun(
        number=place if number is None else number,
        params=params,
        status=run.text("status", 20) or "Completed",
        end_reason=run.text("end_reason", 20),
        reason=run.text("reason", 3000),
        note=run.text("note", 10_000),
        origin=run.text("origin", 10) or "sampler",
        arguments=run.words("arguments"),
        tags=run.texts("tags", nullable=True),
        properties=run.texts("properties", nullable=False),
        retry_of=run.whole("retry_of", bits=30),
        worker=run.text("worker", 120),
        host=run.text("host", 255),
        exit_code=run.whole("exit_code", lowest=-(2**31)),
        created=run.time("created"),
        started=run.time("started"),
        ended=run.time("ended"),
        series=list(_all_series(run)),
    )


def _all_series(run: Fields) -> Iterator[ObservedSeries]:
    if "metrics" not in run.raw:
        text = "The run has no metrics; export all of the sweep: studio export SWEEP --format json."
        run.problems.append(Problem(f"{run.path}.metrics", text))
        return
    seen: set[str] = set()
    for i, entry in enumerate(run.listed("metrics")):
        path = f"{run.path}.metrics[{i}]"
        if not isinstance(entry, Mapping):
            run.problems.append(Problem(path, f"The metric is {brief(entry)}; use an object."))
            continue
        series = _series(Fields(entry, path, run.problems))
        if not series.name or series.name in seen:
            text = f"The name is {brief(series.name)}; every metric of a run needs its own."
            run.problems.append(Problem(f"{path}.name", text))
        seen.add(series.name)
        yield series


def _series(entry: Fields) -> ObservedSeries:
    values = [_value(v, entry, i) for i, v in enumerate(entry.listed("values"))]
    steps = None if entry.raw.get("steps") is None else entry.listed("steps")
    times = None if entry.raw.get("times") is None else entry.listed("times")
    for name, found in (("steps", steps), ("times", times)):
        if found is not None and len(found) != len(values):
            text = f"{name} has {len(found)} entries and values {len(values)}; give one for each."
            entry.problem(name, text)
    if not values:
        entry.problem("values", "values is empty; leave the metric out.")
    return ObservedSeries(
        name=entry.text("name", 255),
        values=values,
        steps=None if steps is None else [_step(v, entry, i) for i, v in enumerate(steps)],
        times=None if times is None else [_moment(v, entry, i) for i, v in enumerate(times)],
    )


def _value(raw: Any, entry: Fields, place: int) -> float | str:
    number = number_of(raw)
    if number is not None:
        return number
    if isinstance(raw, str):
        return raw
    entry.problem(f"values[{place}]", f"The value is {brief(raw)}; use a number or a text.")
    return 0.0


def _step(raw: Any, entry: Fields, place: int) -> float | None:
    number = number_of(raw)
    if raw is None or (number is not None and not math.isnan(number)):
        return number
    entry.problem(f"steps[{place}]", f"The step is {brief(raw)}; use a number or null.")
    return None


def _moment(raw: Any, entry: Fields, place: int) -> float:
    number = number_of(raw)
    if number is not None and math.isfinite(number) and abs(number) < 1e11:
        return number
    text = f"The time is {brief(raw)}; use seconds since 1970."
    entry.problem(f"times[{place}]", text)
    return 0.0


def _check_numbers(runs: list[ObservedRun], problems: list[Problem]) -> None:
    seen: set[int] = set()
    for i, run in enumerate(runs):
        if run.number in seen:
            text = f"number is {run.number}, as that of an earlier run; every run needs its own."
            problems.append(Problem(f"runs[{i}].number", text))
        if run.retry_of is not None and run.retry_of not in seen:
            text = f"retry_of is {run.retry_of}; name the number of a run that stands before."
            problems.append(Problem(f"runs[{i}].retry_of", text))
        seen.add(run.number)


def _number_json(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _time_json(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
