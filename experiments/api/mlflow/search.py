"""Pages of lists and the search of runs, as MLflow clients ask for them."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from experiments.api.auth import Caller
from experiments.api.mlflow.fields import Fields
from experiments.api.mlflow.forms import runs_json
from experiments.api.mlflow.who import runs_of
from experiments.api.mlflow.wire import MlflowError, wrong
from experiments.api.paging import decode_cursor, encode_cursor
from experiments.mlflow_filter import FilterError, parse_order, parse_terms
from experiments.problems import ProblemsError
from experiments.queries.mlflow_search import found_runs, in_order

_SWEEP_PREFIX = "HD_"
_MOST_RUNS = 50_000
_VIEWS = ("", "ACTIVE_ONLY", "DELETED_ONLY", "ALL")
_Row = TypeVar("_Row", bound=Model)


def search_runs(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Find runs of experiments, or of sweeps where an id begins with HD_, page by page."""
    experiments = fields.texts("experiment_ids")
    view = fields.text("run_view_type", "")
    if view not in _VIEWS:
        raise wrong("run_view_type", view, f"use {', '.join(_VIEWS[1:])}")
    most = fields.whole("max_results", 1000, least=0, most=_MOST_RUNS)
    rows = runs_of(caller).select_related("sweep__owner").filter(_of_experiments(experiments))
    # What was deleted is in the studio's trash, which no client looks into.
    rows = rows.none() if view == "DELETED_ONLY" else rows
    try:
        rows = found_runs(rows, parse_terms(fields.text("filter", "", most=6000)))
        rows = in_order(rows, [parse_order(text) for text in fields.texts("order_by")])
    except FilterError as error:
        raise MlflowError("INVALID_PARAMETER_VALUE", str(error)) from None
    page, token = page_of(rows, fields, most)
    document: dict[str, Any] = {"runs": runs_json(page)}
    return document | ({"next_page_token": token} if token else {})


def page_of(rows: QuerySet[_Row], fields: Fields, most: int) -> tuple[list[_Row], str]:
    """Return a page of rows and the token of the next one, "" when it is the last."""
    start = position(fields)
    found = list(rows[start : start + most + 1])
    return found[:most], encode_cursor(start + most) if len(found) > most else ""


def position(fields: Fields) -> int:
    """Return where the page begins that `page_token` stands for."""
    token = fields.text("page_token", "", most=200)
    try:
        return decode_cursor(token) or 0
    except ProblemsError:
        raise wrong("page_token", token, "send the next_page_token of the page before") from None


def _of_experiments(ids: list[str]) -> Q:
    """Return the runs of experiments by number, and of sweeps by their ids."""
    numbers = [int(x) for x in ids if x.isascii() and x.isdecimal() and len(x) <= 18]
    sweeps = [x for x in ids if x.startswith(_SWEEP_PREFIX)]
    return Q(sweep__experiment__in=numbers) | Q(sweep__public_id__in=sweeps)
