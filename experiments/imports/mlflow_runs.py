"""Runs from an MLflow experiment: a folder of MLflow's file store, read as it is, or a tracking
server through MLflow's own client, which is imported only then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import yaml

from experiments.imports.build import Found, Given, split_constants
from experiments.imports.observed import ObservedRun, ObservedSeries
from experiments.imports.values import state_of, typed
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief, is_number

_PARENT: Final = "mlflow.parentRunId"
_RUN_NAME: Final = "mlflow.runName"
_PAGE: Final = 200
# The file store writes states as numbers.
_STATE_NUMBERS: Final = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_NO_MLFLOW: Final = (
    "Reading from a tracking server needs MLflow's client: pip install 'sweep-studio[import]'. "
    "A folder of its file store needs nothing."
)
Point = tuple[int, float, int]


@dataclass(frozen=True, slots=True)
class _Raw:
    """A run as MLflow has it; metrics are lists of (milliseconds, value, step)."""

    run_id: str
    status: str
    times: tuple[int | None, int | None]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, list[Point]]


def read_mlflow(uri: str, experiment: str, given: Given) -> Found:
    """Return the runs of an experiment below a tracking address or in a folder.

    Raises:
        ProblemsError: nothing can be read there, or there are several experiments.
    """
    folder = _folder(uri)
    if folder is not None:
        name, raws = _from_folder(folder, experiment)
    else:
        name, raws = _from_server(uri, experiment)
    parents = {raw.tags[_PARENT] for raw in raws if _PARENT in raw.tags}
    primary = given.metrics[0] if given.metrics else ""
    # A parent of other runs holds them together; it is a run itself only with a value.
    kept = [raw for raw in raws if raw.run_id not in parents or primary in raw.metrics]
    notes = [f"{len(raws) - len(kept)} parent runs are left out."] if len(kept) < len(raws) else []
    kept.sort(key=lambda raw: (raw.times[0] or 0, raw.run_id))
    runs = [_observed(raw, number, given) for number, raw in enumerate(kept)]
    split, more = split_constants(runs, given.params, "Parameters")
    shown = str(folder) if folder is not None else _without_password(uri)
    return Found(
        kind="mlflow",
        source=f"experiment {name} in {shown}",
        name=name,
        runs=split,
        notes=[*notes, *more],
    )


def _folder(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    is_address = bool(parts.scheme) and "://" in uri
    return None if is_address or uri.startswith("databricks") else Path(uri)


def _without_password(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _observed(raw: _Raw, number: int, given: Given) -> ObservedRun:
    status, end_reason = state_of(raw.status) or ("Completed", "")
    params = {
        name: value
        for name, text in raw.params.items()
        if name not in given.ignored and (value := typed(text)) is not None
    }
    properties = {"mlflow.run_id": raw.run_id}
    if raw.tags.get(_RUN_NAME):
        properties[_RUN_NAME] = raw.tags[_RUN_NAME][:1000]
    started = _moment(raw.times[0])
    return ObservedRun(
        number=number,
        params=params,
        status=status,
        end_reason=end_reason,
        tags={
            name[:100]: text[:1000]
            for name, text in raw.tags.items()
            if not name.startswith("mlflow.")
        },
        properties=properties,
        created=started,
        started=started,
        ended=_moment(raw.times[1]),
        series=[_series(name, points) for name, points in raw.metrics.items() if points],
    )


def _series(name: str, points: Sequence[Point]) -> ObservedSeries:
    ordered = sorted(points, key=lambda point: (point[0], point[2]))
    return ObservedSeries(
        name=name,
        values=[value for _, value, _ in ordered],
        steps=[float(step) for _, _, step in ordered],
        times=[time / 1000 for time, _, _ in ordered],
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if not milliseconds else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _chosen(names: Mapping[str, Any], wanted: str, where: str) -> str:
    """Return the name of the experiment; the one that is there when nobody names one."""
    known = ", ".join(brief(name) for name in names) or "none"
    if wanted and wanted not in names:
        text = f"There is no experiment {brief(wanted)} in {where}; there are: {known}."
        raise ProblemsError([Problem("experiment", text)])
    if not wanted and len(names) != 1:
        text = (
            f"{where} has {len(names)} experiments; choose one with --source-experiment: {known}."
        )
        raise ProblemsError([Problem("experiment", text)])
    return wanted or next(iter(names))


# --- the file store ---------------------------------------------------------------------------


def _from_folder(folder: Path, wanted: str) -> tuple[str, list[_Raw]]:
    if not folder.is_dir():
        text = (
            f"{folder} is no folder; give the folder mlruns, or an address like http://host:5000."
        )
        raise ProblemsError([Problem("uri", text)])
    found: dict[str, Path] = {}
    for path in [folder, *sorted(folder.iterdir())]:
        meta = _meta(path)
        if "experiment_id" in meta and "run_id" not in meta:
            found[str(meta.get("name", path.name))] = path
    if not wanted and len(found) > 1:  # the Default one is made without being asked for
        found = {name: path for name, path in found.items() if any(_run_folders(path))}
    name = _chosen(found, wanted, str(folder))
    raws = [_raw(path) for path in _run_folders(found[name])]
    return name, [raw for raw in raws if raw is not None]


def _run_folders(folder: Path) -> Iterator[Path]:
    return (path.parent for path in sorted(folder.glob("*/meta.yaml")))


def _meta(folder: Path) -> dict[str, Any]:
    path = folder / "meta.yaml"
    if not path.is_file():
        return {}
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = Problem(str(path), f"The file cannot be read: {type(error).__name__}.")
        raise ProblemsError([problem]) from error
    return raw if isinstance(raw, dict) else {}


def _raw(folder: Path) -> _Raw | None:
    meta = _meta(folder)
    if "run_id" not in meta or meta.get("lifecycle_stage") == "deleted":
        return None
    status = meta.get("status")
    word = _STATE_NUMBERS.get(status, "FINISHED") if isinstance(status, int) else str(status)
    times = [meta.get(name) for name in ("start_time", "end_time")]
    start, end = (time if isinstance(time, int) else None for time in times)
    return _Raw(
        run_id=str(meta["run_id"]),
        status=word,
        times=(start, end),
        params=dict(_texts(folder / "params")),
        tags=dict(_texts(folder / "tags")),
        metrics={name: _points(name, text) for name, text in _texts(folder / "metrics")},
    )


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the entries of a folder; a name with / in it is a folder and a file."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")


def _points(name: str, text: str) -> list[Point]:
    points = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        try:
            points.append((int(words[0]), float(words[1]), int(words[2]) if words[2:] else 0))
        except (ValueError, IndexError):
            problem = Problem(
                f"metrics/{name}, line {number}",
                f"The line is {brief(line)}; it needs time, value and step.",
            )
            raise ProblemsError([problem]) from None
    return points


# --- a tracking server ------------------------------------------------------------------------


def _from_server(uri: str, wanted: str) -> tuple[str, list[_Raw]]:
    if find_spec("mlflow") is None:
        raise ProblemsError([Problem("uri", _NO_MLFLOW)])
    client = import_module("mlflow").MlflowClient(tracking_uri=uri)
    shown = _without_password(uri)
    try:
        found = {one.name: one for one in _pages(client.search_experiments)}
        name = _chosen(found, wanted, shown)
        ids = [found[name].experiment_id]
        return name, [
            _from_client(client, run) for run in _pages(client.search_runs, experiment_ids=ids)
        ]
    except ProblemsError:
        raise
    except Exception as error:  # whatever its transports raise
        text = f"{shown} cannot be read: {str(error).splitlines()[0][:300]}"
        raise ProblemsError([Problem("uri", text)]) from error


def _pages(search: Any, **query: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(**query, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _from_client(client: Any, run: Any) -> _Raw:
    run_id = run.info.run_id
    return _Raw(
        run_id=run_id,
        status=run.info.status,
        times=(run.info.start_time, run.info.end_time),
        params=run.data.params,
        tags=run.data.tags,
        metrics={
            name: [
                (int(point.timestamp), float(point.value), int(point.step))
                for point in client.get_metric_history(run_id, name)
            ]
            for name, last in run.data.metrics.items()
            if is_number(last) or isinstance(last, float)
        },
    )
