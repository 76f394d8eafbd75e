"""An MLflow experiment as observed runs, from a folder of its file store or a tracking server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from experiments.imports.build import Found, Given, split_constants
from experiments.imports.mlflow_folder import read_folder
from experiments.imports.mlflow_raw import Point, RawRun
from experiments.imports.mlflow_server import read_server, without_password
from experiments.imports.observed import ObservedRun, ObservedSeries
from experiments.imports.values import state_of, typed

_PARENT: Final = "mlflow.parentRunId"
_RUN_NAME: Final = "mlflow.runName"


def read_mlflow(uri: str, experiment: str, given: Given) -> Found:
    """Return the runs of an experiment below a tracking address or in a folder.

    Raises:
        ProblemsError: nothing can be read there, or there are several experiments.
    """
    folder = _folder(uri)
    if folder is not None:
        name, raws = read_folder(folder, experiment)
    else:
        name, raws = read_server(uri, experiment)
    parents = {raw.tags[_PARENT] for raw in raws if _PARENT in raw.tags}
    primary = given.metrics[0] if given.metrics else ""
    # A parent of other runs holds them together; it is a run itself only with a value.
    kept = [raw for raw in raws if raw.run_id not in parents or primary in raw.metrics]
    notes = [f"{len(raws) - len(kept)} parent runs are left out."] if len(kept) < len(raws) else []
    kept.sort(key=lambda raw: (raw.times[0] or 0, raw.run_id))
    runs = [_observed(raw, number, given) for number, raw in enumerate(kept)]
    split, more = split_constants(runs, given.params, "Parameters")
    shown = str(folder) if folder is not None else without_password(uri)
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


def _observed(raw: RawRun, number: int, given: Given) -> ObservedRun:
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
