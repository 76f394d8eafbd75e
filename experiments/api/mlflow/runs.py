"""MLflow's runs: read, joined by their own script, never made or ended by a client."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from experiments.api.auth import Caller
from experiments.api.mlflow.fields import MOST_TEXT, Fields
from experiments.api.mlflow.forms import metric_json, run_info_json, run_json
from experiments.api.mlflow.search import position
from experiments.api.mlflow.who import Target, runs_of, target_of, writable
from experiments.api.mlflow.wire import MlflowError, wrong
from experiments.api.paging import encode_cursor
from experiments.models import Run
from experiments.queries import Series, all_series, series_of
from experiments.queries.mlflow_search import RUN_NAME
from experiments.services.logged_marks import log_marks

_PARENT: Final = "mlflow.parentRunId"
_KEPT: Final = (RUN_NAME, "mlflow.note.content")
_STATUSES: Final = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
_MOST_POINTS: Final = 50_000
_MOST_BULK_RUNS: Final = 200
_LONGEST_PART: Final = 60


def get_run(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Read one run."""
    return {"run": run_json(target_of(caller, _run_id(fields)))}


def create_run(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Join the run of the script that calls; one below another becomes a part of it."""
    if caller.run is None:
        raise MlflowError(
            "NOT_IMPLEMENTED",
            "Runs are made by sweeps: submit one with `studio submit` or on the page New sweep. "
            "A script that a sweep runs joins its run with mlflow.start_run().",
        )
    tags = {t.text("key"): t.text("value", "", most=MOST_TEXT) for t in fields.messages("tags")}
    name = fields.text("run_name", tags.get(RUN_NAME, ""))
    target = target_of(caller, caller.run.public_id)
    if parent := tags.get(_PARENT, ""):
        target_of(caller, parent)
        target = Target(target.run, _free_part(target.run, name))
    if name:
        tags[RUN_NAME] = name
    # Who started which file is told by the sweep; a client would say it of the wrong program.
    kept = {k: text for k, text in tags.items() if k in _KEPT or not k.startswith("mlflow.")}
    if target.part:
        kept.setdefault(RUN_NAME, target.part)
    target.run.tags = log_marks(
        target.run, tags={target.prefix + key: text for key, text in kept.items()}
    ).tags
    return {"run": run_json(target)}


def update_run(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Take a new name; how a run ends is decided by the exit code of its script."""
    target = writable(caller, _run_id(fields))
    status = fields.text("status", "")
    if status and status not in _STATUSES:
        raise wrong("status", status, f"use {', '.join(_STATUSES)}")
    if name := fields.text("run_name", ""):
        target.run.tags = log_marks(target.run, tags={target.prefix + RUN_NAME: name}).tags
    return {"run_info": run_info_json(target)}


def metric_history(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Read all reports of one metric, page by page."""
    target = target_of(caller, _run_id(fields))
    series = series_of(target.run, target.prefix + fields.text("metric_key"))
    most = fields.whole("max_results", _MOST_POINTS, least=1, most=_MOST_POINTS)
    start = position(fields)
    metrics = [] if series is None else _metrics(series, fields.text("metric_key"))
    document: dict[str, Any] = {"metrics": metrics[start : start + most]}
    if len(metrics) > start + most:
        document["next_page_token"] = encode_cursor(start + most)
    return document


def bulk_history(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Read one metric of several runs, thinned out evenly where there are more points than asked.

    `start_step` and `end_step` cut a part out of it.
    """
    ids = fields.texts("run_ids")
    if not 0 < len(ids) <= _MOST_BULK_RUNS:
        raise wrong("run_ids", f"{len(ids)} ids", f"1 to {_MOST_BULK_RUNS} are allowed")
    name = fields.text("metric_key")
    most = fields.whole("max_results", 25_000, least=1, most=25_000 * 10)
    first = fields.whole("start_step", -(2**53), least=-(2**53))
    last = fields.whole("end_step", 2**53, least=-(2**53))
    found = []
    for run in runs_of(caller).filter(public_id__in=ids).order_by("pk"):
        for series in all_series(run, names=[name]):
            points = [p for p in _metrics(series, name) if first <= p["step"] <= last]
            found += [{**point, "run_id": run.public_id} for point in _thinned(points, most)]
    return {"metrics": found}


def _thinned(points: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    if len(points) <= most:
        return points
    return [points[round(i * (len(points) - 1) / max(most - 1, 1))] for i in range(most)]


def _run_id(fields: Fields) -> str:
    return fields.text("run_id" if fields.has("run_id") else "run_uuid", most=256)


def _metrics(series: Series, name: str) -> list[dict[str, Any]]:
    values, times = series.values.tolist(), series.times.tolist()
    steps = list(range(len(values))) if series.steps is None else series.steps.tolist()
    return [
        metric_json(name, value, times[i], steps[i] if steps[i] == steps[i] else i)
        for i, value in enumerate(values)
        if i not in series.texts
    ]


def _free_part(run: Run, name: str) -> str:
    """Return a name for a part of a run that no other part has."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")[:_LONGEST_PART]
    part = plain or f"part-{secrets.token_hex(3)}"
    taken = {tag.partition("/")[0] for tag in run.tags if "/" in tag}
    number, free = 1, part
    while free in taken:
        number += 1
        free = f"{part}-{number}"
    return free
