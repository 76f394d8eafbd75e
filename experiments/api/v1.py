"""The REST API at /api/v1/: its routers by noun, its OpenAPI document and its docs page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from experiments.api import (
    attached,
    capsules,
    check_runs,
    compare,
    compute,
    imports,
    models,
    notifications,
    outputs,
    quotas,
    run_exports,
    search,
    site,
    snapshots,
    teamwork,
    tokens,
    trash,
)
from experiments.api.application import StudioAPI
from experiments.api.docs import OperationsPage
from experiments.api.errors import NOT_FOUND, problem_response
from experiments.spec import SweepSpec

DESCRIPTION = """Sweeps, runs and compute targets of a Sweep Studio.

Send `Authorization: Bearer TOKEN`; `studio token create NAME --scope write` makes a token. The
browser uses the same API with its session cookie and `X-CSRFToken`. A run's own token opens that
run only, while it lives.

Errors are `application/problem+json` with `errors: [{"path", "message"}]`, every problem at once.
Lists are paged: send `next_cursor` as `cursor` to get the next page. Numbers that JSON cannot
write are the strings "NaN", "Infinity" and "-Infinity". Times are ISO 8601."""

api = StudioAPI(
    title="Sweep Studio",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    body_models=[SweepSpec],
    docs=OperationsPage(),
)
api.add_router("/snapshots", snapshots.router)
# With the operations of every module that adds some to the routers of api.sweeps and api.runs.
api.add_router("/sweeps", teamwork.sweeps)
api.add_router("/runs", outputs.runs)
api.add_router("/sweeps", run_exports.router)
api.add_router("/sweeps", capsules.router)
api.add_router("/imports", imports.router)
api.add_router("/trash", trash.trash)
api.add_router("/removals", trash.removals)
api.add_router("/check-runs", check_runs.router)
api.add_router("/compare", compare.router)
api.add_router("/search", search.router)
api.add_router("/models", models.router)
api.add_router("/compute", compute.router)
api.add_router("/attached", attached.router)
api.add_router("/webhooks", notifications.router)
api.add_router("/tokens", tokens.router)
api.add_router("/workspaces", quotas.router)
api.add_router("/site", site.router)
api.add_router("/audit", site.audit)

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_rest = Router()


@_rest.api_operation(_METHODS, "/{path:path}", include_in_schema=False)
def no_such_address(request: HttpRequest, path: str) -> HttpResponse:
    """Answer unknown addresses below /api/v1/ as every other error."""
    return problem_response(404, NOT_FOUND)


api.add_router("", _rest)
