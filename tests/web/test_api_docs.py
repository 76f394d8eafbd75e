"""The OpenAPI document is complete and sound; the docs page shows it and loads nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
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
    """Yield every operation, with the answers that it refers to in their place."""
    shared = document["components"]["responses"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = {
                status: shared[answer["$ref"].rsplit("/", 1)[1]] if "$ref" in answer else answer
                for status, answer in operation["responses"].items()
            }
            yield f"{method.upper()} {path}", {**operation, "responses": answers}


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
    known = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses", "headers")
        for name in document["components"][kind]
    }

    assert set(_references(document)) <= known


def test_operations_are_named_once_and_described(document: Any) -> None:
    names = [operation["operationId"] for _, operation in _operations(document)]

    assert len(names) == len(set(names))
    for name, operation in _operations(document):
        assert operation["description"], name
        (scope,) = operation["security"][0]["BearerToken"]
        assert scope in ("read", "write", "admin"), name
        assert operation["security"][1:] == [{"BrowserSession": []}], name
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}, name
        # What only reads asks for no more than that, unless it tells of ways in.
        is_way_in = "share-links" in name or "tokens" in name
        assert scope == "read" or not name.startswith("GET") or is_way_in, name


def test_parameters_have_words_and_ends(document: Any) -> None:
    for name, operation in _operations(document):
        for parameter in operation["parameters"]:
            schema, where = parameter["schema"], (name, parameter["name"])
            assert parameter.get("description") or "enum" in json.dumps(schema), where
            if schema.get("type") == "string" and parameter["in"] == "query":
                assert {"maxLength", "enum", "const"} & set(schema), where
            if schema.get("type") == "integer":
                assert "minimum" in schema, where
                assert "maximum" in schema, where


def test_bodies_have_examples_that_are_accepted(document: Any) -> None:
    schemas = document["components"]["schemas"]

    for name, operation in _operations(document):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            if media != "application/json":
                continue
            assert "example" in content, name
            schema = {**content["schema"], "components": {"schemas": schemas}}
            jsonschema.validate(content["example"], schema)


def test_every_answer_of_the_document_has_a_form(document: Any) -> None:
    for name, operation in _operations(document):
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            if status not in ("204", "304"):
                assert all(content["schema"] for content in answer["content"].values()), name
        assert {"401", "403", "422", "429"} <= set(operation["responses"]), name
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= set(operation["responses"]), name


def test_links_lead_to_operations_and_their_parameters(document: Any) -> None:
    by_id = {operation["operationId"]: operation for _, operation in _operations(document)}
    links = [
        link
        for operation in by_id.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]

    assert len(links) > 20
    for link in links:
        known = {p["name"] for p in by_id[link["operationId"]]["parameters"]}
        assert set(link["parameters"]) <= known, link


def test_errors_are_documented_as_problems(document: Any) -> None:
    for name, operation in _operations(document):
        for status, answer in operation["responses"].items():
            # 204 says no word.
            media = set(answer.get("content", {}))
            is_error = "application/problem+json" in media
            assert is_error == (status >= "4"), (name, status)


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
