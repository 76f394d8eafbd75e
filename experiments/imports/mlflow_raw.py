"""A run of MLflow as its stores have it, and which experiment of a store is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief

Point = tuple[int, float, int]


@dataclass(frozen=True, slots=True)
class RawRun:
    """A run as MLflow has it; metrics are lists of (milliseconds, value, step)."""

    run_id: str
    status: str
    times: tuple[int | None, int | None]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, list[Point]]


def choose_experiment(names: Mapping[str, Any], wanted: str, where: str) -> str:
    """Return the name of the experiment; the one that is there when nobody names one."""
    known = ", ".join(brief(name) for name in names) or "none"
    if wanted and wanted not in names:
        text = f"There is no experiment {brief(wanted)} in {where}; there are: {known}."
        raise ProblemsError([Problem("experiment", text)])
    if not wanted and len(names) != 1:
        text = (
            f"{where} has {len(names)} experiments; choose one with --source-experiment: {known}."
        )
        raise ProblemsError([Problem("experiment", text)])
    return wanted or next(iter(names))
