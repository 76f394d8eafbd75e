"""MLflow's experiments: they are the studio's own, by their names, and only read."""

from __future__ import annotations

from typing import Any

from experiments.api.auth import Caller
from experiments.api.mlflow.fields import Fields
from experiments.api.mlflow.forms import experiment_json
from experiments.api.mlflow.search import page_of
from experiments.api.mlflow.who import experiments_of
from experiments.api.mlflow.wire import MlflowError
from experiments.models import Experiment

_MOST_ON_A_PAGE = 50_000


def get_experiment(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Read one experiment by its id."""
    return {"experiment": experiment_json(find_experiment(caller, fields.text("experiment_id")))}


def get_by_name(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Read one experiment by its name; of several workspaces the oldest one.

    A script that names an experiment joins its run all the same, so whatever name it uses leads to
    the run's own.
    """
    name = fields.text("experiment_name", most=255)
    found = experiments_of(caller).select_related("workspace")
    experiment = (found if caller.run is not None else found.filter(name=name)).first()
    if experiment is None:
        raise MlflowError(
            "RESOURCE_DOES_NOT_EXIST", f"No experiment of yours has the name '{name}'."
        )
    return {"experiment": experiment_json(experiment)}


def create_experiment(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Answer the script of a run with its own experiment; people get one by submitting a sweep."""
    name = fields.text("name", most=255)
    if caller.run is not None:
        return {"experiment_id": str(caller.run.sweep.experiment_id)}
    if experiments_of(caller).filter(name=name).exists():
        raise MlflowError("RESOURCE_ALREADY_EXISTS", f"The experiment '{name}' exists.")
    raise MlflowError(
        "NOT_IMPLEMENTED",
        f"The experiment '{name}' is not made here: a sweep that is submitted with "
        "`experiment: NAME` makes it.",
    )


def search_experiments(caller: Caller, fields: Fields) -> dict[str, Any]:
    """List the experiments, oldest first; a filter is not known here."""
    if text := fields.text("filter", "", most=6000):
        raise MlflowError(
            "INVALID_PARAMETER_VALUE",
            f"'filter' is '{text}'; experiments are not filtered, use experiments/get-by-name.",
        )
    most = fields.whole("max_results", 1000, least=1, most=_MOST_ON_A_PAGE)
    rows = experiments_of(caller).select_related("workspace")
    page, token = page_of(rows, fields, most)
    document: dict[str, Any] = {"experiments": [experiment_json(row) for row in page]}
    return document | ({"next_page_token": token} if token else {})


def find_experiment(caller: Caller, experiment_id: str) -> Experiment:
    """Return an experiment of the caller's by its id.

    Raises:
        MlflowError: there is none.
    """
    found = None
    if experiment_id.isascii() and experiment_id.isdecimal() and len(experiment_id) <= 18:
        rows = experiments_of(caller).select_related("workspace")
        found = rows.filter(pk=int(experiment_id)).first()
    if found is None:
        raise MlflowError(
            "RESOURCE_DOES_NOT_EXIST", f"No experiment of yours has the id '{experiment_id}'."
        )
    return found
