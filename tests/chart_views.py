"""Sweeps as charts see them, made up for tests: `make_view` and `make_curves`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.charts.base import Curve, RunView, SweepView
from experiments.slot_history import SlotHistory, Use, outcome_of, slot_history
from experiments.space.space import SearchSpace


@dataclass(frozen=True)
class Shape:
    """The part of a parameter expression that charts read, for ends no real one has."""

    scale: str
    ends: tuple[float, float] | None = None
    options: tuple[Any, ...] = ()

    def bounds(self) -> tuple[float, float] | None:
        return self.ends

    def values(self) -> list[Any]:
        return list(self.options)


OPTIMIZERS = ["sgd", "adam <fast> & %{x}", None]
SPACE = SearchSpace.parse(
    {
        "learning_rate": f"loguniform({math.log(1e-4)}, {math.log(1e-1)})",
        "momentum": "uniform(0.5, 0.99)",
        "batch_size": "choice(32, 64, 128)",
        "optimizer": {"type": "choice", "values": OPTIMIZERS},
    }
).expressions


def make_run(number: int, value: float | None = 0.5, **fields: Any) -> RunView:
    """Return a run with a value for every parameter of `SPACE`; `fields` replace what is given."""
    made: dict[str, Any] = {
        "number": number,
        "run_id": f"HD_0_{number}",
        "state": "Completed",
        "end_reason": "finished",
        "params": make_params(number),
        "best": value,
        "best_interval": 5 if value is not None else None,
        "last": value,
        "reports": 10 if value is not None else 0,
    }
    return RunView(**{**made, **fields})


def make_params(number: int) -> dict[str, Any]:
    """Return parameters that depend on the number alone."""
    rng = np.random.default_rng(number)
    return {
        "learning_rate": float(10 ** rng.uniform(-4, -1)),
        "momentum": float(rng.uniform(0.5, 0.99)),
        "batch_size": [32, 64, 128][int(rng.integers(3))],
        "optimizer": OPTIMIZERS[int(rng.integers(3))],
    }


def make_view(runs: list[RunView] | None = None, **fields: Any) -> SweepView:
    """Return a sweep; its best run is found by the goal unless given."""
    runs = runs if runs is not None else [make_run(n, 0.5 + n / 100) for n in range(10)]
    goal = fields.get("goal", "maximize")
    known = [run for run in runs if not math.isnan(run.value)]
    pick = max if goal == "maximize" else min
    best = pick(known, key=lambda run: run.value).number if known else None
    made = {"metric": "accuracy", "goal": goal, "space": SPACE, "best_number": best}
    made["slots"] = make_slots(runs)
    return SweepView(**{**made, **fields, "runs": tuple(runs)})


def make_slots(runs: list[RunView]) -> SlotHistory | None:
    """Return four slots that the runs took in turn, ten seconds each; waiting ones took none."""
    uses = [
        Use(
            run.number,
            f"local@atlas-{run.number % 4}",
            "atlas",
            1_700_000_000.0 + 10 * (run.number // 4),
            1_700_000_008.0 + 10 * (run.number // 4),
            outcome_of(run.state, run.end_reason),
        )
        for run in runs
        if run.state != "Queued"
    ]
    return slot_history(uses, now=1_700_009_000.0, ended=None)


def make_mixed_runs(count: int = 20) -> list[RunView]:
    """Return runs in every state, with values, without, and with NaN at the end."""
    kinds = [
        {},
        {"state": "Canceled", "end_reason": "policy"},
        {"state": "Failed", "end_reason": "nonzero_exit"},
        {"state": "Running", "end_reason": ""},
        {"state": "Canceled", "end_reason": "user"},
        {"last": math.nan},
        {"state": "Failed", "end_reason": "nonzero_exit", "value": None, "last": None},
        {"state": "Queued", "end_reason": "", "value": None, "last": None},
        {"value": None, "last": None},
        {"state": "CancelRequested", "end_reason": "policy"},
    ]
    return [
        make_run(n, **{"value": 0.4 + (n * 7 % 13) / 30, **kinds[n % len(kinds)]})
        for n in range(count)
    ]


def make_curves(view: SweepView, reports: int = 10) -> dict[int, Curve]:
    """Return a curve for every run with a value, rising to its best; ends in NaN as `last` does."""
    curves = {}
    for run in view.runs:
        if math.isnan(run.value):
            continue
        values = run.value - 0.5 / np.arange(1, reports + 1) + 0.5 / reports
        if run.last is not None and math.isnan(run.last):
            values[-1] = math.nan
        intervals = np.arange(1, reports + 1)
        times = 1_700_000_000.0 + run.number + intervals * 0.5
        curves[run.number] = Curve(run.number, intervals, intervals * 10.0, times, values)
    return curves
