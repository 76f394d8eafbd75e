"""The docs page of the API: the OpenAPI document as plain HTML, nothing loaded from elsewhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

_METHODS = ("get", "post", "put", "patch", "delete")


class OperationsPage(DocsBase):
    """Operations by noun with parameters, bodies and answers; then every schema."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        document: dict[str, Any] = api.get_openapi_schema()
        context = {
            "nav": "api",
            "document": document,
            "openapi_url": self.get_openapi_url(api, kwargs),
            "paragraphs": _paragraphs(document["info"]["description"]),
            "groups": _groups(document),
            "schemas": _schemas(document),
        }
        return render(request, "experiments/api_docs.html", context)


def _groups(document: dict[str, Any]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    known = document["components"]["responses"]
    answers = {f"#/components/responses/{name}": answer for name, answer in known.items()}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                groups.setdefault(operation["tags"][0], []).append(
                    _operation(path, method, operation, answers)
                )
    return [{"name": name, "operations": operations} for name, operations in groups.items()]


def _operation(
    path: str, method: str, operation: dict[str, Any], answers: dict[str, Any]
) -> dict[str, Any]:
    """Return what the page shows; `answers` are those that operations refer to."""
    body = operation.get("requestBody", {}).get("content", {})
    return {
        "id": operation["operationId"],
        "path": path,
        "method": method.upper(),
        "summary": operation["summary"],
        "paragraphs": _paragraphs(operation.get("description", "")),
        "parameters": [
            {
                "name": parameter["name"],
                "place": parameter["in"],
                "type": _type_of(parameter["schema"]),
                "is_required": parameter["required"],
                "default": parameter["schema"].get("default"),
                "description": _rich(parameter.get("description", "")),
            }
            for parameter in operation["parameters"]
        ],
        "bodies": [
            {"media": media, "type": _type_of(content["schema"])} for media, content in body.items()
        ],
        "answers": [
            _answer(status, answers.get(answer.get("$ref"), answer))
            for status, answer in _sorted(operation["responses"])
        ],
    }


def _sorted(responses: dict[Any, Any]) -> list[tuple[str, Any]]:
    return sorted((str(status), answer) for status, answer in responses.items())


def _answer(status: str, answer: dict[str, Any]) -> dict[str, Any]:
    types = [_type_of(content["schema"]) for content in answer.get("content", {}).values()]
    return {
        "status": status,
        "description": answer["description"],
        "type": types[0] if types else None,
    }


def _schemas(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "description": schema.get("description", ""),
            "fields": [
                {
                    "name": field,
                    "type": _type_of(details),
                    "is_required": field in schema.get("required", []),
                    "description": _rich(details.get("description", "")),
                }
                for field, details in schema.get("properties", {}).items()
            ],
            "values": schema.get("enum", []),
        }
        for name, schema in sorted(document["components"]["schemas"].items())
    ]


def _type_of(schema: dict[str, Any]) -> dict[str, str]:
    """Describe a schema as words, with the name of the schema it refers to, if any."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return {"words": name, "schema": name}
    for joint in ("anyOf", "oneOf", "allOf"):
        if joint in schema:
            parts = [_type_of(part) for part in schema[joint]]
            words = " or ".join(dict.fromkeys(part["words"] for part in parts))
            return {"words": words, "schema": next((p["schema"] for p in parts if p["schema"]), "")}
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return {"words": " or ".join(f'"{value}"' for value in values), "schema": ""}
    if schema.get("type") == "array":
        item = _type_of(schema.get("items", {}))
        return {"words": f"list of {item['words']}", "schema": item["schema"]}
    words = str(schema.get("format") or schema.get("type") or "anything")
    return {"words": words, "schema": ""}


def _paragraphs(text: str) -> list[SafeString]:
    return [_rich(" ".join(block.split())) for block in text.split("\n\n") if block.strip()]


def _rich(text: str) -> SafeString:
    """Write what stands between backticks as code, everything escaped."""
    pieces = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", p) if i % 2 else p,) for i, p in pieces)
    )
