"""Every route of the studio, from the tables that serve them: pages, REST, MLflow, administration.

What is listed here has to be in table.txt; nothing is listed by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from experiments.api.mlflow.routes import ROUTES
from experiments.api.v1 import api
from experiments.routing import websocket_urlpatterns

_API: Final = "api/v1/"
_MLFLOW: Final = "api/"
_ADMIN: Final = "admin/"
_LEADS_ON: Final = "/<path:object_id>/"
# The five pages that Django makes for every model, as their addresses are called.
MODEL_PAGES: Final = ("changelist", "add", "change", "delete", "history")


@cache
def all_routes() -> Mapping[str, str]:
    """Return the address of every route by its name, or by itself where it has no name alone."""
    found = list(_walk(get_resolver(), "", ""))
    times = Counter(name for name, _ in found)
    return {name if name and times[name] == 1 else address: address for name, address in found}


def page_routes() -> dict[str, str]:
    """Return the routes of pages: all that is neither an API nor the administration."""
    others = (_API, _MLFLOW, _ADMIN)
    return {
        name: address for name, address in all_routes().items() if not address.startswith(others)
    } | {"admin/login/": "admin/login/"}


def mlflow_file_routes() -> dict[str, str]:
    """Return the routes of MLflow's files, which its table does not name."""
    return {
        name: address
        for name, address in all_routes().items()
        if address.startswith(_MLFLOW) and not address.startswith(_API)
    }


def operations() -> set[tuple[str, str]]:
    """Return every operation of REST as method and address, those outside its document as well."""
    found = set()
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                found |= {(method, f"{prefix}{path}") for method in operation.methods}
    return found


def api_pages() -> dict[str, str]:
    """Return what REST serves besides its operations: the document and its pages."""
    served = {address for _, address in operations()}
    found = {}
    for name, address in all_routes().items():
        path = "/" + address.removeprefix(_API)
        if address.startswith(_API) and _plain(path) not in {_plain(one) for one in served}:
            found[name] = address
    return found


def mlflow_calls() -> set[tuple[str, str]]:
    """Return the calls of MLflow's tracking API."""
    return set(ROUTES)


def models() -> dict[str, Any]:
    """Return every registered page of the administration by `app.model`."""
    return {model._meta.label_lower: page for model, page in admin.site._registry.items()}


def admin_routes() -> dict[str, str]:
    """Return the routes of the administration that are not one of the five of a model.

    Nor the sixth, which leads to the page of a row and has no name.
    """
    of_models = {
        f"admin:{label.replace('.', '_')}_{page}" for label in models() for page in MODEL_PAGES
    }
    return {
        name: address
        for name, address in all_routes().items()
        if address.startswith(_ADMIN) and name not in of_models
        if not (name == address and address.endswith(_LEADS_ON))
        if name != "admin/login/"
    }


def sockets() -> set[str]:
    """Return the addresses of sockets."""
    return {str(pattern.pattern) for pattern in websocket_urlpatterns}


def _walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, address, inner)
        elif isinstance(entry, URLPattern):
            yield (f"{namespace}{entry.name}" if entry.name else ""), address


def _plain(path: str) -> str:
    """Return an address without the types and names of its parameters."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "*", path).replace("//", "/")
