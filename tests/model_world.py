"""Runs with files to register: a sweep with a winner, read by Bob, out of Charlie's reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.models import ModelVersion, Run, Sweep
from experiments.services.model_files import version_sources
from experiments.services.models import register_model
from experiments.services.outcome import RunOutcome
from tests.factories import make_sweep, report
from tests.web.sweep_world import end, start

FILES = {"outputs/model.pkl": b"weights\x00", "outputs/deep/notes.txt": b"fine", "logs/a.txt": b"x"}


def ended_run(
    directory: Path, *, sweep: Sweep | None = None, value: float | None = 0.9, **params: Any
) -> Run:
    """Make a completed run with FILES in its directory."""
    for name, content in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    run = start(sweep or make_sweep(max_total_runs=99), directory, **(params or {"lr": 0.1}))
    if value is not None:
        report(run, [value])
    end(run, RunOutcome(exit_code=0))
    return Run.objects.select_related("sweep__experiment__workspace").get(pk=run.pk)


def register(run: Run, name: str = "digits", **more: Any) -> ModelVersion:
    """Register a run in the name of its sweep's owner."""
    return register_model(run, name=name, user=run.sweep.owner, **more)


def content_of(version: ModelVersion) -> dict[str, bytes]:
    """Return what is in the storage of a version."""
    return {name: b"".join(source.blocks()) for name, source in version_sources(version)}


def stored_files(root: Path) -> list[str]:
    """Return every file below the storage of models."""
    folder = root / "models"
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
