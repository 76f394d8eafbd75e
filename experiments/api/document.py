"""The OpenAPI document: what ninja knows of the operations, and what all of them have in common.

Every operation tells its errors, headers, scope and examples here, so that a client can be
generated from it. Changes no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from ninja import NinjaAPI
from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from ninja.operation import Operation
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from experiments.api.auth import BearerToken
from experiments.api.document_words import (
    BODY_EXAMPLES,
    CREATED,
    LINKS,
    PATH_PARAMETERS,
    SECURITY,
    STATUS_WORDS,
    TAGS,
)
from experiments.api.errors import MEDIA_TYPE
from experiments.api.schemas import ProblemDocument

_JSON: Final = "application/json"
_PROBLEM: Final = {"$ref": "#/components/schemas/ProblemDocument"}
_KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A text of your own, like a UUID. The same request sent again with it within "
    "24 hours makes nothing and gets the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
}
_MATCH_PARAMETERS: Final = {
    "if_match": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag that `GET` gave: 412 if somebody changed it since.",
        "schema": {"type": "string"},
    },
    "if_none_match": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of your last answer: 304 without a body if nothing changed.",
        "schema": {"type": "string"},
    },
}
# Reads that are asked again and again; the others give an ETag, too.
_POLLED: Final = frozenset(
    {
        "get_best_run",
        "get_check_run",
        "get_curves",
        "get_packed_curves",
        "get_removal",
        "get_run",
        "get_sweep",
        "list_compute",
        "list_runs",
        "list_sweeps",
        "show_compute",
    }
)


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": schema}


_HEADERS: Final = {
    "RateLimit-Limit": _header("Requests a minute.", type="integer", minimum=1),
    "RateLimit-Remaining": _header("Requests left.", type="integer", minimum=0),
    "RateLimit-Reset": _header("Seconds until all are there again.", type="integer", minimum=0),
    "Retry-After": _header("Seconds to wait.", type="integer", minimum=1),
    "WWW-Authenticate": _header("How to sign in.", type="string"),
    "ETag": _header("Changes with the answer.", type="string"),
    "Idempotency-Replayed": _header("It had been answered before.", type="string", enum=["true"]),
}
_RATE: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_OF_ERROR: Final = {"401": ("WWW-Authenticate",), "429": ("Retry-After", *_RATE)}


class StudioDocument(OpenAPISchema):
    """The document of one API; `body_models` are those that operations refer to by name."""

    def __init__(
        self, api: NinjaAPI, path_prefix: str, body_models: Sequence[type[BaseModel]]
    ) -> None:
        super().__init__(api, path_prefix)
        models: list[Any] = [(ProblemDocument, "serialization")]
        models += [(model, "validation") for model in body_models]
        _, definitions = models_json_schema(models, ref_template=REF_TEMPLATE)
        self["components"]["schemas"].update(definitions["$defs"])
        self["components"]["securitySchemes"] = SECURITY
        self["components"]["headers"] = _HEADERS
        errors = [status for status in STATUS_WORDS if status >= "4"]
        self["components"]["responses"] = {f"Error{status}": _error(status) for status in errors}
        used = {
            tag for path in self["paths"].values() for one in path.values() for tag in one["tags"]
        }
        self["tags"] = [
            {"name": name, "description": text} for name, text in TAGS.items() if name in used
        ]

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        """Describe one operation in whole."""
        details: dict[str, Any] = super().operation_details(operation)
        responses = details["responses"]
        # Written as in every other document: statuses are texts.
        details["responses"] = responses = {str(k): v for k, v in responses.items()}
        _describe_parameters(details, operation)
        _describe_errors(details, operation)
        _describe_headers(details, operation)
        _describe_body(details)
        for status, links in LINKS.get(details["operationId"], {}).items():
            responses[status]["links"] = links
        if details["operationId"] in CREATED:
            responses["201"]["description"] = CREATED[details["operationId"]]
        return details

    def operation_security(self, operation: Operation) -> list[dict[str, Any]] | None:
        """Name the scope that a token needs, as a role of its scheme."""
        schemes: list[dict[str, Any]] | None = super().operation_security(operation)
        for auth in operation.auth_callbacks:
            if isinstance(auth, BearerToken) and schemes:
                schemes[0] = {"BearerToken": [str(auth.scope.value)]}
        return schemes


def _describe_parameters(details: dict[str, Any], operation: Operation) -> None:
    known = {"tags": details["tags"], "id": details["operationId"]}
    for parameter in details["parameters"]:
        if parameter["in"] == "path":
            words = PATH_PARAMETERS.get(f"{parameter['name']} of {known['tags'][0]}")
            words = words or PATH_PARAMETERS.get(parameter["name"], {})
            parameter.update(words)
    if getattr(operation.view_func, "is_once", False):
        details["parameters"].append(_KEY_PARAMETER)
    if known["id"] in _POLLED:
        details["parameters"].append(_MATCH_PARAMETERS["if_none_match"])
    if details.pop("x-if-match", False):
        details["parameters"].append(_MATCH_PARAMETERS["if_match"])


def _describe_errors(details: dict[str, Any], operation: Operation) -> None:
    """Name the errors that an operation may answer with."""
    statuses = {"401", "403", "422", "429"} if "security" in details else {"422"}
    if "requestBody" in details:
        statuses |= {"400", "413", "415"}
    # What an address names, and the workspace that something new goes to.
    named = [p for p in details["parameters"] if p["in"] == "path"]
    if named or ("requestBody" in details and _names(details, "workspace")):
        statuses.add("404")
    if getattr(operation.view_func, "is_once", False):
        statuses.add("409")
    if _names(details, "If-Match"):
        statuses.add("412")
    statuses |= {str(status) for status in details.pop("x-errors", [])}
    for status in sorted(statuses):
        details["responses"][status] = {"$ref": f"#/components/responses/Error{status}"}


def _names(details: dict[str, Any], name: str) -> bool:
    return any(p["name"] == name for p in details["parameters"])


def _error(status: str) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": _PROBLEM, "example": _example_of(status)}}
    return {
        "description": STATUS_WORDS[status],
        "headers": _named(*_OF_ERROR.get(status, _RATE)),
        "content": content,
    }


def _named(*headers: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _example_of(status: str) -> dict[str, Any]:
    path, message = ("max_total_runs", "max_total_runs is 0; use 1 to 1000.")
    if status != "422":
        path, message = "", STATUS_WORDS[status]
    return {
        "type": "about:blank",
        "title": HTTPStatus(int(status)).phrase,
        "status": int(status),
        "detail": "One value is wrong. Nothing was created or changed."
        if status == "422"
        else message,
        "errors": [{"path": path, "message": message}],
    }


def _describe_headers(details: dict[str, Any], operation: Operation) -> None:
    is_read = "GET" in operation.methods
    for status, answer in details["responses"].items():
        if not status.startswith("2"):
            continue
        headers = _named(*_RATE)
        if is_read and _JSON in answer.get("content", {}):
            headers |= _named("ETag")
        if getattr(operation.view_func, "is_once", False):
            headers |= _named("Idempotency-Replayed")
        answer["headers"] = headers
    if details["operationId"] in _POLLED:
        details["responses"]["304"] = {
            "description": STATUS_WORDS["304"],
            "headers": _named("ETag", *_RATE),
        }


def _describe_body(details: dict[str, Any]) -> None:
    example = BODY_EXAMPLES.get(details["operationId"])
    for media, content in details.get("requestBody", {}).get("content", {}).items():
        if example is not None and media == _JSON:
            # Copied: one table of contents may stand in several operations.
            details["requestBody"]["content"][media] = {**content, "example": example}
