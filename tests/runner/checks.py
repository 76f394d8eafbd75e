"""Checks before a launch, tried by an executor in this process."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from experiments import queries
from experiments.models import Run, Sweep
from experiments.queries import CheckView
from experiments.services.advance import advance_sweep
from experiments.services.check_run import start_check
from tests.factories import make_compute, make_user, make_workspace
from tests.runner.attempts import SPEC, in_background

WIDE: dict[str, Any] = {**SPEC, "max_total_runs": 20, "max_concurrent_runs": 4}


def start(
    tmp_path: Path, code: str, *, seconds: float = 20, owner: User | None = None, **spec: Any
) -> Sweep:
    """Start the check of a script; its run waits for a worker."""
    folder = tmp_path / "source"
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(code)
    make_compute()
    owner = owner or make_user(is_superuser=True)
    sweep, _ = start_check(
        {**WIDE, **spec, "source_directory": str(folder)},
        owner=owner,
        workspace=make_workspace(owner),
        seconds=seconds,
        allow_server_paths=True,
    )
    advance_sweep(sweep.pk)
    return sweep


def run_of(sweep: Sweep) -> Run:
    """Return the one run of a check."""
    return Run.objects.get(sweep=sweep)


def execute_check(sweep: Sweep) -> threading.Thread:
    """Let an executor take the run in the background."""
    return in_background(run_of(sweep))


def view(sweep: Sweep) -> CheckView:
    """Return what the check shows now."""
    return queries.check_view(queries.find_check(make_user(), sweep.public_id))


def shown(found: CheckView) -> dict[str, tuple[str, str]]:
    """Return mark and sentence of every line."""
    return {line.key: (line.mark, line.text) for line in found.verdict.lines}
