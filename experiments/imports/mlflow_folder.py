"""Runs out of a folder of MLflow's file store, read as it is: nothing of MLflow is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from experiments.imports.mlflow_raw import Point, RawRun, choose_experiment
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief

# The file store writes states as numbers.
_STATE_NUMBERS: Final = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}


def read_folder(folder: Path, wanted: str) -> tuple[str, list[RawRun]]:
    """Return the name of an experiment and its runs.

    Raises:
        ProblemsError: there is no such folder or experiment, or a file cannot be read.
    """
    if not folder.is_dir():
        text = (
            f"{folder} is no folder; give the folder mlruns, or an address like http://host:5000."
        )
        raise ProblemsError([Problem("uri", text)])
    found: dict[str, Path] = {}
    for path in [folder, *sorted(folder.iterdir())]:
        meta = _meta(path)
        if "experiment_id" in meta and "run_id" not in meta:
            found[str(meta.get("name", path.name))] = path
    if not wanted and len(found) > 1:  # the Default one is made without being asked for
        found = {name: path for name, path in found.items() if any(_run_folders(path))}
    name = choose_experiment(found, wanted, str(folder))
    raws = [_raw(path) for path in _run_folders(found[name])]
    return name, [raw for raw in raws if raw is not None]


def _run_folders(folder: Path) -> Iterator[Path]:
    return (path.parent for path in sorted(folder.glob("*/meta.yaml")))


def _meta(folder: Path) -> dict[str, Any]:
    path = folder / "meta.yaml"
    if not path.is_file():
        return {}
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = Problem(str(path), f"The file cannot be read: {type(error).__name__}.")
        raise ProblemsError([problem]) from error
    return raw if isinstance(raw, dict) else {}


def _raw(folder: Path) -> RawRun | None:
    meta = _meta(folder)
    if "run_id" not in meta or meta.get("lifecycle_stage") == "deleted":
        return None
    status = meta.get("status")
    word = _STATE_NUMBERS.get(status, "FINISHED") if isinstance(status, int) else str(status)
    times = [meta.get(name) for name in ("start_time", "end_time")]
    start, end = (time if isinstance(time, int) else None for time in times)
    return RawRun(
        run_id=str(meta["run_id"]),
        status=word,
        times=(start, end),
        params=dict(_texts(folder / "params")),
        tags=dict(_texts(folder / "tags")),
        metrics={name: _points(name, text) for name, text in _texts(folder / "metrics")},
    )


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the entries of a folder; a name with / in it is a folder and a file."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")


def _points(name: str, text: str) -> list[Point]:
    points = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        try:
            points.append((int(words[0]), float(words[1]), int(words[2]) if words[2:] else 0))
        except (ValueError, IndexError):
            problem = Problem(
                f"metrics/{name}, line {number}",
                f"The line is {brief(line)}; it needs time, value and step.",
            )
            raise ProblemsError([problem]) from None
    return points
