"""Runs and experiments as MLflow clients read them; reads rows, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from experiments.api.mlflow.datasets import FILE as DATASETS
from experiments.api.mlflow.datasets import read_inputs
from experiments.api.mlflow.who import Target
from experiments.models import Experiment, Run
from experiments.queries.latest_reports import Point, latest_points
from experiments.queries.mlflow_search import RUN_NAME, STATUSES
from experiments.spec_command import format_value


def experiment_json(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment of the studio as one of MLflow."""
    created = _milliseconds(experiment.created_at)
    return {
        "experiment_id": str(experiment.pk),
        "name": experiment.name,
        "artifact_location": "mlflow-artifacts:/",
        "lifecycle_stage": "active",
        "creation_time": created,
        "last_update_time": created,
        "tags": [{"key": "studio.workspace", "value": experiment.workspace.name}],
    }


def artifact_uri(target: Target) -> str:
    """Return where the files of a run are, for clients that ask the tracking server for them."""
    part = f"/{target.part}" if target.part else ""
    return f"mlflow-artifacts:/{target.run.public_id}/artifacts{part}"


def run_info_json(target: Target) -> dict[str, Any]:
    """Return what there is to know about a run beside its data."""
    run = target.run
    owner = run.sweep.owner
    info = {
        "run_id": target.run_id,
        "run_uuid": target.run_id,
        "run_name": _run_name(target),
        "experiment_id": str(run.sweep.experiment_id),
        "user_id": owner.get_username() if owner else "",
        "status": STATUSES[run.state],
        "artifact_uri": artifact_uri(target),
        "lifecycle_stage": "active",
    }
    # A client takes a missing start for none at all.
    times = {"start_time": run.started_at or run.created_at, "end_time": run.ended_at}
    return info | {name: _milliseconds(time) for name, time in times.items() if time}


def run_json(target: Target) -> dict[str, Any]:
    """Return one run with its data."""
    whole = _run_json(target, latest_points([target.run]).get(target.run.pk, []))
    datasets = read_inputs(target.run.directory, target.prefix + DATASETS)
    return {**whole, "inputs": {"dataset_inputs": datasets}}


def runs_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return many runs with their data; one query for the metrics of all of them."""
    points = latest_points(runs)
    return [_run_json(Target(run), points.get(run.pk, [])) for run in runs]


def metric_json(name: str, value: float, time: float, step: float) -> dict[str, Any]:
    """Return one report."""
    return {"key": name, "value": value, "timestamp": round(time * 1000), "step": int(step)}


def _run_json(target: Target, points: Iterable[Point]) -> dict[str, Any]:
    begin = len(target.prefix)
    metrics = [
        metric_json(name[begin:], value, time, step)
        for name, value, time, step in points
        if name.startswith(target.prefix)
    ]
    data = {
        "metrics": metrics,
        "params": _pairs(params_of(target)),
        "tags": _pairs(_tags_of(target)),
    }
    return {"info": run_info_json(target), "data": data, "inputs": {}, "outputs": {}}


def params_of(target: Target) -> dict[str, str]:
    """Return the hyperparameters as the script got them, and what it logged itself."""
    run = target.run
    if target.part:
        return dict(_within(run.properties, target.prefix))
    hyperparameters = {name: format_value(value) for name, value in run.params.items()}
    return {**hyperparameters, **run.properties}


def _tags_of(target: Target) -> dict[str, str]:
    run = target.run
    owner = run.sweep.owner
    spec = run.sweep.spec
    own = {
        "mlflow.user": owner.get_username() if owner else "",
        "mlflow.source.name": spec.get("script") or spec.get("command") or "",
        "mlflow.source.type": "JOB",
        "studio.sweep": run.sweep.public_id,
        "studio.sweepName": run.sweep.name,
        "studio.number": str(run.number),
        "studio.status": run.state,
        "studio.reason": run.reason,
    }
    if target.part:
        own["mlflow.parentRunId"] = run.public_id
    logged = {name: text or "" for name, text in _within(run.tags, target.prefix).items()}
    return {**own, RUN_NAME: _run_name(target), **logged}


def _run_name(target: Target) -> str:
    run = target.run
    default = target.part or f"{run.sweep.name} / {run.number}"
    return run.tags.get(f"{target.prefix}{RUN_NAME}") or default


def _within(marks: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name[len(prefix) :]: text for name, text in marks.items() if name.startswith(prefix)}


def _pairs(texts: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": name, "value": str(text)} for name, text in texts.items()]


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
