"""The command `studio` as a program of its own, and a small sweep for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCRIPT = """
import argparse, sys, time
from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--exit", type=int, default=0)
parser.add_argument("--seconds", type=float, default=0)
options = parser.parse_args()
print("x is", options.x, flush=True)
run = Run.get_context()
for step in range(3):
    run.log("score", options.x * (step + 1))
time.sleep(options.seconds)
sys.exit(options.exit)
"""


def spec_text(**changes: Any) -> str:
    """Return a small sweep over --x as the text of a file."""
    spec = {
        "name": "from the shell",
        "experiment": "shell",
        "script": "train.py",
        "search_space": {"x": "choice(1, 2)"},
        "sampling": "grid",
        "primary_metric": {"name": "score", "goal": "maximize"},
        "max_total_runs": 2,
        "max_concurrent_runs": 2,
    }
    return json.dumps({**spec, **changes})


def with_sweep(folder: Path) -> Path:
    """Write the script and the sweep into a folder; return it."""
    (folder / "train.py").write_text(SCRIPT)
    (folder / "sweep.yaml").write_text(spec_text())
    return folder


def shell_in(
    folder: Path, environment: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs the command in a folder, with more variables by name."""

    def run(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return run_studio({**environment, **more}, *words, cwd=folder)

    return run


def run_studio(
    environment: dict[str, str], *words: str | Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, quietly."""
    return subprocess.run(
        [sys.executable, "-m", "studio.cli", *map(str, words)],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def last_json(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what the last line of its output says."""
    return json.loads(done.stdout.splitlines()[-1])


def submitted(studio: Any, folder: Path, **changes: Any) -> str:
    """Submit the sweep and return its id."""
    (folder / "own.yaml").write_text(spec_text(**changes))
    done = studio("submit", "own.yaml")
    assert done.returncode == 0, done.stderr
    return str(done.stdout.splitlines()[0])
