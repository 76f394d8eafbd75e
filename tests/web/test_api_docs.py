"""The OpenAPI document is complete and sound; the docs page shows it and loads nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from experiments.api.v1 import api

pytestmark = pytest.mark.django_db


@pytest.fixture
def document() -> Any:
    response = Client().get("/api/v1/openapi.json")
    assert response.status_code == 200
    return json.loads(response.content)


def _operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_every_reference_leads_to_a_schema(document: Any) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    assert set(_references(document)) <= known


def test_operations_are_named_once_and_described(document: Any) -> None:
    names = [operation["operationId"] for _, operation in _operations(document)]

    assert len(names) == len(set(names))
    for name, operation in _operations(document):
        assert operation["description"], name
        assert operation["security"] == [{"BearerToken": []}, {"BrowserSession": []}], name
        assert operation["tags"], name


def test_errors_are_documented_as_problems(document: Any) -> None:
    for name, operation in _operations(document):
        for status, answer in operation["responses"].items():
            # 204 says no word.
            media = set(answer.get("content", {}))
            assert ("application/problem+json" in media) == (status >= "4"), (name, status)


def test_specification_is_documented_for_json_and_yaml(document: Any) -> None:
    content = document["paths"]["/api/v1/sweeps"]["post"]["requestBody"]["content"]

    assert set(content) == {"application/json", "application/yaml"}
    fields = document["components"]["schemas"]["SweepSpec"]["properties"]
    assert {"search_space", "primary_metric", "max_total_runs", "snapshot"} <= set(fields)


def test_docs_page_shows_every_operation_and_schema(document: Any) -> None:
    page = Client().get("/api/v1/docs").content.decode()

    for name, operation in _operations(document):
        assert f'id="{operation["operationId"]}"' in page, name
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_docs_page_loads_nothing_from_elsewhere() -> None:
    page = Client().get("/api/v1/docs").content.decode()

    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", page)
    assert ' style="' not in page


def test_document_is_the_same_each_time() -> None:
    assert json.dumps(api.get_openapi_schema()) == json.dumps(api.get_openapi_schema())
