"""REST and MLflow: what every kind of token is answered by every operation."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tests.authorisation.asked import (
    API_PARAMETERS,
    API_PLACES,
    API_QUERIES,
    BODIES,
    CALLS,
    CONTENT_TYPES,
    PARAMETERS,
    filled,
)
from tests.authorisation.judging import assert_as_written, assert_complete, wrong_cells
from tests.authorisation.routes import (
    api_pages,
    mlflow_calls,
    mlflow_file_routes,
    operations,
)
from tests.authorisation.sender import JSON, Request, Sender, path_of
from tests.authorisation.table import Row, section
from tests.authorisation.world import World


def test_every_operation_has_a_row() -> None:
    assert_complete("operation", operations(), section("api").rows)
    assert_complete("call of MLflow", mlflow_calls(), section("mlflow").rows)
    pages = {route for _, route in section("api-pages").rows}
    assert_complete("page of the API", {**api_pages(), **mlflow_file_routes()}, pages)


def test_operations_answer_as_the_table_says(sender: Sender) -> None:
    def ask(row: Row, actor: str) -> str:
        return sender.status(_operation(sender.world, *row.key), sender.by_token(actor))

    def ask_mlflow(row: Row, actor: str) -> str:
        return sender.status(mlflow_call(sender.world, *row.key), sender.by_token(actor))

    def ask_page(row: Row, actor: str) -> str:
        return sender.status(_page(sender.world, *row.key), sender.by_token(actor))

    wrong = wrong_cells(section("api").rows.values(), ask)
    wrong += wrong_cells(section("mlflow").rows.values(), ask_mlflow)
    assert_as_written(wrong + wrong_cells(section("api-pages").rows.values(), ask_page))


def mlflow_call(world: World, method: str, route: str) -> Request:
    """Return what a client of MLflow sends."""
    fields: Any = filled(CALLS.get(f"{method} {route}", {}), world.ids)
    path = f"/api/2.0/mlflow/{path_of(route, world.ids)}"
    if method == "GET":
        return Request(method, f"{path}?{urlencode(fields)}" if fields else path)
    return Request(method, path, json.dumps(fields).encode())


def _operation(world: World, method: str, route: str) -> Request:
    key = f"{method} {route}"
    places = [values for begin, values in API_PLACES.items() if route.startswith(begin)]
    named: dict[str, Any] = dict(PARAMETERS)
    for values in (*places, API_PARAMETERS.get(key, {})):
        named.update(values)
    query = filled(API_QUERIES.get(key, ""), world.ids)
    path = f"/api/v1{path_of(route, filled(named, world.ids))}" + (f"?{query}" if query else "")
    body = filled(BODIES.get(key), world.ids)
    return Request(method, path, body, CONTENT_TYPES.get(key, JSON))


def _page(world: World, method: str, route: str) -> Request:
    """Return what is sent to the document of REST, or to the files of a run for MLflow."""
    address = {**api_pages(), **mlflow_file_routes()}[route]
    run = world.ids["running"]
    path = path_of(
        address, {"endpoint": "server-info", "address": f"{run}/artifacts/outputs/model.txt"}
    )
    query = f"?path={run}/artifacts" if route == "mlflow_files" else ""
    return Request(method, f"/{path}{query}", b"weights" if method == "PUT" else None)
