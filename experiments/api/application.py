"""The NinjaAPI of this studio: strict JSON, problem documents, a tidy OpenAPI document.

Knows no noun of the product; routers are mounted in v1.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI
from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from ninja.operation import Operation
from ninja.renderers import JSONRenderer
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from experiments.api.errors import MEDIA_TYPE, NOT_FOUND, install_handlers, problem_response
from experiments.api.schemas import ProblemDocument
from experiments.storable import is_storable, unstorable_texts

_STATUS_WORDS = {
    "400": "The body cannot be read.",
    "401": "No valid token and no session.",
    "403": "The token's scope or your role does not allow it.",
    "404": "There is no such object, or it is not yours.",
    "409": "The state of the object does not allow it.",
    "413": "The body is too large.",
    "422": "Something in the request is wrong; every problem is listed.",
}


def finite_json(value: Any) -> Any:
    """Return `value` with non-finite numbers as "NaN", "Infinity" and "-Infinity"."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(item) for item in value]
    return value


class StrictJSONRenderer(JSONRenderer):
    """JSON as every parser reads it: no bare NaN."""

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        return json.dumps(finite_json(data), cls=self.encoder_class, allow_nan=False)


class StudioAPI(NinjaAPI):
    """Authenticates for itself, so that the login redirect of pages never answers a client."""

    def __init__(self, *, body_models: Sequence[type[BaseModel]] = (), **options: Any) -> None:
        """`body_models`: models that `openapi_extra` refers to as `#/components/schemas/...`."""
        super().__init__(renderer=StrictJSONRenderer(), **options)
        self._body_models = body_models
        install_handlers(self)

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        patterns = super()._get_urls()
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _as_api_view(pattern.callback)
        return patterns

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        models: list[Any] = [(ProblemDocument, "serialization")]
        models += [(model, "validation") for model in self._body_models]
        _, definitions = models_json_schema(models, ref_template=REF_TEMPLATE)
        document["components"]["schemas"].update(definitions["$defs"])
        for path in document["paths"].values():
            for operation in path.values():
                _describe_errors(operation)
        return document


def _describe_errors(operation: dict[str, Any]) -> None:
    """Name the errors that an operation may answer with."""
    statuses = {"401", "403", "422"} if "security" in operation else {"422"}
    if "requestBody" in operation:
        statuses |= {"400", "413"}
    if any(p["in"] == "path" for p in operation["parameters"]):
        statuses.add("404")
    statuses |= {str(s) for s in operation.pop("x-errors", [])}
    reference = {"$ref": "#/components/schemas/ProblemDocument"}
    for status in sorted(statuses):
        operation["responses"][status] = {
            "description": _STATUS_WORDS[status],
            "content": {MEDIA_TYPE: {"schema": reference}},
        }


def _as_api_view(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Exempt from the login redirect and speak JSON about a wrong method, too."""

    @wraps(view)
    def api_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_storable(request.path):
            return problem_response(404, NOT_FOUND)
        if problems := list(unstorable_texts(dict(request.GET.items()))):
            return problem_response(422, "The query cannot be used.", problems)
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return problem_response(404, NOT_FOUND)
        return _not_allowed(request, response) if response.status_code == 405 else response

    return login_not_required(api_view)


def _not_allowed(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    allowed = ", ".join(sorted(response["Allow"].split(", ")))
    return problem_response(
        405,
        f"{request.method} is not possible here; this address answers {allowed}.",
        Allow=allowed,
    )
