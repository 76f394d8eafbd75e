"""REST: the figures that programs draw themselves, as the pages of a sweep get them.

An operation of the router of api.sweeps.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from ninja import Field, Query, Schema

from experiments import queries
from experiments.api.auth import READ, sweep_of
from experiments.api.curves import router
from experiments.charts import load_chart
from experiments.queries.figures import figure_json, shows_limits

__all__ = ["router"]


class FigureOut(Schema):
    """A chart of a sweep as plain data; `token:NAME` stands for a color of the theme."""

    cursor: int
    data: list[dict[str, Any]] = Field(description="Traces of Plotly, where it draws the chart.")
    layout: dict[str, Any]
    meta: dict[str, Any] = Field(description="Axes, runs, styles, texts and the rows behind it.")


@router.get("/{sweep_id}/charts/{name}", auth=READ, response=FigureOut)
def get_figure(
    request: HttpRequest,
    sweep_id: str,
    name: Literal["metrics", "parallel_coordinates"],
    metric: Annotated[str, Query(max_length=255, description="Default: the primary metric.")] = "",
    x: Annotated[
        Literal["interval", "step", "time"], Query(description="What runs to the right.")
    ] = "interval",
) -> HttpResponseBase:
    """Read what a chart shows beside its points: axes, styles of runs, limits of the policy.

    The points of `metrics` are those of `/sweeps/{sweep_id}/curves`, except where each run has
    one report; the runs of `parallel_coordinates` are in `meta.lines`. `metric` and `x` are for
    `metrics`.
    """
    sweep = sweep_of(request, sweep_id)
    etag = f'W/"{sweep.cursor}-{sha256(request.get_full_path().encode()).hexdigest()[:16]}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    drawn = load_chart(name)
    options = {"metric": metric, "x": x} if name == "metrics" else {}
    view = queries.chart_view(
        sweep, with_limits=drawn.needs_limits and shows_limits(sweep, options)
    )
    names = queries.metric_names(sweep) if drawn.needs_limits else []
    body = json.dumps(
        figure_json(sweep, drawn, view, options, names), separators=(",", ":"), allow_nan=False
    )
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response
