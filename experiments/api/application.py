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
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from pydantic import BaseModel

from experiments.api.bodies import check_json_type
from experiments.api.document import StudioDocument
from experiments.api.errors import NOT_FOUND, install_handlers, problem_response
from experiments.api.limits import add_rate_headers
from experiments.api.unchanged import unchanged_or
from experiments.storable import is_storable, unstorable_texts


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
        super().__init__(renderer=StrictJSONRenderer(), parser=JSONParser(), **options)
        self._body_models = body_models
        self._documents: dict[str, OpenAPISchema] = {}
        install_handlers(self)

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        patterns = super()._get_urls()
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _as_api_view(pattern.callback)
        return patterns

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(
        self,
        *,
        path_prefix: str | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> OpenAPISchema:
        """Return the OpenAPI document, as document.py makes it; it takes a second, so once."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if prefix not in self._documents:
            self._documents[prefix] = StudioDocument(self, prefix, self._body_models)
        return self._documents[prefix]


class JSONParser(Parser):
    """Reads bodies that say they are JSON, or say nothing."""

    def parse_body(self, request: HttpRequest) -> Any:
        check_json_type(request)
        return super().parse_body(request)


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
        if response.status_code == 405:
            return _not_allowed(request, response)
        add_rate_headers(request, response)
        return unchanged_or(request, response)

    return login_not_required(api_view)


def _not_allowed(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    allowed = ", ".join(sorted(response["Allow"].split(", ")))
    return problem_response(
        405,
        f"{request.method} is not possible here; this address answers {allowed}.",
        Allow=allowed,
    )
