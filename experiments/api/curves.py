"""REST: the curves of all runs of a sweep in one small answer.

An operation of the router of api.sweeps.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponseBase
from ninja import Query
from pydantic import Field

from experiments import queries
from experiments.api.auth import READ, sweep_of
from experiments.api.schemas import PackedCurves
from experiments.api.sweep_runs import router
from experiments.charts.lines import LEAST_POINTS, MOST_POINTS
from experiments.finished import finished_json

__all__ = ["router"]

_MANY_POINTS = 1_000_000
# Greater ones no database has a place for.
RunNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]


@router.get("/{sweep_id}/curves", auth=READ, response=PackedCurves)
def get_packed_curves(
    request: HttpRequest,
    sweep_id: str,
    metric: Annotated[str, Query(max_length=255, description="Default: the primary metric.")] = "",
    x: Annotated[
        Literal["interval", "step", "time"],
        Query(description="Number of the report, step of the script, or seconds since the first."),
    ] = "interval",
    low: Annotated[float | None, Query(description="Least x.", allow_inf_nan=False)] = None,
    high: Annotated[float | None, Query(description="Greatest x.", allow_inf_nan=False)] = None,
    runs: Annotated[
        list[RunNumber] | None, Query(description="Numbers of runs; all if left out.")
    ] = None,
    points: Annotated[
        int, Query(ge=LEAST_POINTS, le=_MANY_POINTS, description="About how many points, in all.")
    ] = MOST_POINTS,
) -> HttpResponseBase:
    """Read one metric of all runs as charts draw it: base64 of little-endian arrays.

    Curves are cut together to about `points` points: lowest, highest and last of equal buckets.
    `counts` says how many points of each of `numbers` follow each other in `xs` and `ys`. Where
    `xs.is_delta`, each x is the difference to the one before, the first of a run to 0. Add `base`
    to each of `ys`; NaN is a gap. `reports` are the reports of each run before anything was cut.
    """
    sweep = sweep_of(request, sweep_id)
    window = queries.Window(
        x=x,
        low=-math.inf if low is None else low,
        high=math.inf if high is None else high,
        runs=tuple(runs or ()),
        points=points,
    )
    name = metric or sweep.metric_name
    return finished_json(
        request,
        sweep,
        ["curves", name, repr(window)],
        lambda: queries.packed_curves(sweep, name, window),
    )
