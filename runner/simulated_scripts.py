"""Scripts for simulations: generated learning curves, and the recorded curves of a real sweep."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from experiments import queries
from experiments.learning_curves import as_score, learning_curve
from experiments.models import Run, Sweep
from runner.compute.simulated import Script, Trace

# What `generated_script` understands: a learning rate, a width and a dropout with one best place.
SPACE: Final[dict[str, str]] = {
    "learning_rate": "loguniform(-11.5, -2.3)",
    "hidden_units": "choice(16, 32, 64, 128, 256)",
    "dropout": "uniform(0.0, 0.6)",
}
METRIC: Final = "accuracy"
_BEST: Final = {"learning_rate": -6.9, "hidden_units": 128.0, "dropout": 0.2}
_EVERYTHING: Final = 10**9


class NotRecordedError(LookupError):
    """A simulation asked for a configuration that the recorded sweep has no curve of."""


def generated_script(*, family: str, reports: int, seconds_per_report: float, seed: int) -> Script:
    """Return a script whose curves come from a family, better near one best place of SPACE."""

    def script(params: Mapping[str, Any], number: int, attempt: int) -> Trace:
        del attempt
        loss = learning_curve(family, quality_of(params), reports, seed=seed, number=number)
        # No two runs have the same pace, so that reports seldom coincide.
        pace = seconds_per_report * (0.75 + 0.5 * ((number * 0.6180339887) % 1))
        return Trace(as_score(loss), seconds_per_report=pace)

    return script


def quality_of(params: Mapping[str, Any]) -> float:
    """Return how good a configuration of SPACE is, 0..1."""
    distance = (
        ((math.log(params["learning_rate"]) - _BEST["learning_rate"]) / 4) ** 2
        + (math.log2(params["hidden_units"] / _BEST["hidden_units"]) / 6) ** 2
        + (params["dropout"] - _BEST["dropout"]) ** 2
    )
    return math.exp(-distance)


def recorded_script(sweep: Sweep) -> Script:
    """Return a script that gives each configuration the curve it had in `sweep`, at its pace.

    Raises:
        NotRecordedError: (the script) `sweep` has no run with these hyperparameters.
    """
    curves = queries.curves_of(sweep, sweep.metric_name, limit=_EVERYTHING)
    traces: dict[str, Trace] = {}
    for run in Run.objects.filter(sweep=sweep, ended_at__isnull=False).order_by("number"):
        curve = curves.get(run.number)
        values = np.empty(0) if curve is None else curve.values
        times = np.empty(0) if curve is None else curve.times
        traces.setdefault(_key(run.params), _trace_of(run, values, times))

    def script(params: Mapping[str, Any], number: int, attempt: int) -> Trace:
        del attempt
        trace = traces.get(_key(params))
        if trace is None:
            text = f"{sweep.name} has no curve for run {number}: {json.dumps(dict(params))}."
            raise NotRecordedError(text)
        return trace

    return script


def _trace_of(run: Run, values: np.ndarray[Any, Any], times: np.ndarray[Any, Any]) -> Trace:
    pace = 1.0
    if times.size and run.started_at is not None:
        pace = max((float(times[-1]) - run.started_at.timestamp()) / times.size, 1e-3)
    return Trace(
        values,
        seconds_per_report=pace,
        exit_code=run.exit_code if run.state == "Failed" else 0,
        error_line=run.reason if run.state == "Failed" else "",
    )


def _key(params: Mapping[str, Any]) -> str:
    return json.dumps(dict(params), sort_keys=True)
