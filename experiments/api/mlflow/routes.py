"""The table of MLflow's REST API: what is answered, what is refused and why."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError

from experiments.api.auth import Caller
from experiments.api.mlflow import (
    artifacts,
    datasets,
    experiments,
    logged_models,
    reports,
    runs,
    search,
)
from experiments.api.mlflow.fields import Fields, fields_of
from experiments.api.mlflow.who import Handler, caller_of
from experiments.api.mlflow.wire import Answer, Call, MlflowError, answer, refusal
from experiments.problems import ProblemsError
from experiments.services.transitions import StaleState

logger = logging.getLogger("studio.mlflow")


def server_info(caller: Caller, fields: Fields) -> dict[str, object]:
    """Tell clients what this server does not do: workspaces, uploads in parts, archives."""
    return {
        "store_type": "studio",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
    }


ROUTES: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", "experiments/get"): experiments.get_experiment,
    ("GET", "experiments/get-by-name"): experiments.get_by_name,
    ("GET", "experiments/search"): experiments.search_experiments,
    ("POST", "experiments/search"): experiments.search_experiments,
    ("POST", "experiments/create"): experiments.create_experiment,
    ("GET", "runs/get"): runs.get_run,
    ("POST", "runs/create"): runs.create_run,
    ("POST", "runs/update"): runs.update_run,
    ("POST", "runs/search"): search.search_runs,
    ("POST", "runs/log-metric"): reports.log_metric,
    ("POST", "runs/log-batch"): reports.log_batch,
    ("POST", "runs/log-parameter"): reports.log_param,
    ("POST", "runs/set-tag"): reports.set_tag,
    ("POST", "runs/delete-tag"): reports.delete_tag,
    ("POST", "runs/log-inputs"): datasets.log_inputs,
    ("POST", "runs/log-model"): logged_models.log_model,
    ("POST", "runs/outputs"): logged_models.log_outputs,
    ("GET", "metrics/get-history"): runs.metric_history,
    ("GET", "metrics/get-history-bulk"): runs.bulk_history,
    ("GET", "metrics/get-history-bulk-interval"): runs.bulk_history,
    ("GET", "artifacts/list"): artifacts.list_artifacts,
    ("POST", "logged-models"): logged_models.create_model,
    ("POST", "logged-models/search"): logged_models.search_models,
    ("GET", "logged-models/{model_id}"): logged_models.get_model,
    ("PATCH", "logged-models/{model_id}"): logged_models.change_model,
    ("PATCH", "logged-models/{model_id}/tags"): logged_models.set_model_tags,
    ("POST", "logged-models/{model_id}/params"): logged_models.log_model_params,
    ("GET", "server-info"): server_info,
}
# What an address begins with, and why nothing is there.
REFUSED: Final[Mapping[str, str]] = {
    "experiments/": "Experiments are changed on their pages in the studio.",
    "runs/delete": "Runs are removed with their sweep: move it to the trash in the studio.",
    "runs/restore": "Sweeps are restored from the trash in the studio.",
    "runs/": "The studio does not do this to runs.",
    "artifacts/": "Files go through /api/2.0/mlflow-artifacts/; there are no other addresses.",
    "registered-models": "Models are registered in the studio: Register on the page of a run, "
    "`Run.register_model`, or POST /api/v1/models/NAME/versions.",
    "model-versions": "Versions of models are at /api/v1/models/NAME/versions.",
    "logged-models": "Files of models are listed and removed as those of their runs.",
    "traces": "The studio keeps no traces.",
    "unified-traces": "The studio keeps no traces.",
    "datasets": "Datasets are logged with a run (mlflow.log_input) and not kept apart from it.",
    "workspaces": "Workspaces of the studio are managed on its pages.",
    "gateway": "The studio is no gateway to language models.",
    "prompt-optimization": "The studio optimises hyperparameters, not prompts.",
    "scorers": "The studio keeps no scorers.",
    "issues": "The studio keeps no issues.",
    "label-schemas": "The studio keeps no label schemas.",
    "review-queues": "The studio keeps no review queues.",
    "webhooks": "Webhooks are set on the studio's pages.",
}


def dispatch(call: Call) -> Answer:
    """Answer one call, whatever happens."""
    try:
        handler, named = _find(call)
        fields = fields_of(call)
        caller = caller_of(call.token)
        return answer(handler(caller, fields.with_names(named) if named else fields))
    except Exception as error:  # noqa: BLE001 - each becomes an answer
        return refusal(error_of(error, f"{call.method} {call.path}"))


def error_of(error: Exception, what: str) -> MlflowError:
    """Return an exception as the refusal that a client reads; bugs are logged."""
    match error:
        case MlflowError():
            return error
        case ProblemsError():
            text = " ".join(problem.message for problem in error.problems)
            return MlflowError("INVALID_PARAMETER_VALUE", text)
        case StaleState():
            return MlflowError("INVALID_STATE", str(error))
        case ObjectDoesNotExist():
            return MlflowError("RESOURCE_DOES_NOT_EXIST", "What was asked for is gone.")
        case DatabaseError() | OSError():
            logger.error("%s: %s", what, error)
            return MlflowError("TEMPORARILY_UNAVAILABLE", f"{error}; try again.")
    logger.error("%s failed", what, exc_info=error)
    return MlflowError("INTERNAL_ERROR", "The studio failed at this; its log has the traceback.")


def route_of(call: Call) -> str:
    """Return the name of the address of a call: one of the table, whatever was asked for."""
    return f"mlflow:{_pattern(call)[0] or 'none'}"


def _pattern(call: Call) -> tuple[str, dict[str, str]]:
    """Return the address in the table, "" when it is not there, and what it names."""
    path = call.path.strip("/")
    if (call.method, path) in ROUTES:
        return path, {}
    first, *rest = path.split("/")
    if first == "logged-models" and rest:
        pattern = "/".join([first, "{model_id}", *rest[1:]])
        if (call.method, pattern) in ROUTES:
            return pattern, {"model_id": rest[0]}
    return "", {}


def _find(call: Call) -> tuple[Handler, dict[str, str]]:
    pattern, named = _pattern(call)
    if pattern:
        return ROUTES[call.method, pattern], named
    raise _no_route(call.method, call.path.strip("/"))


def _no_route(method: str, path: str) -> MlflowError:
    methods = sorted(known for known, address in ROUTES if address == path)
    if methods:
        text = f"{method} is not possible at '{path}'; use {', '.join(methods)}."
        return MlflowError("BAD_REQUEST", text)
    for begin, reason in REFUSED.items():
        if path.startswith(begin):
            return MlflowError("NOT_IMPLEMENTED", f"{method} {path} is not offered. {reason}")
    return MlflowError("ENDPOINT_NOT_FOUND", f"{method} {path} is no address of this server.")
