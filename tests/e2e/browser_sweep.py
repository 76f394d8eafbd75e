"""A sweep for the tests of its pages: short runs that report, print and leave a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers import LiveStudio

SCRIPT = """\
import argparse
import pathlib
import time

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--momentum", type=float)
parser.add_argument("--layers", type=int)
parser.add_argument("--reports", type=int, default=4)
parser.add_argument("--pause", type=float, default=0.0)
args = parser.parse_args()
run = Run.get_context()
for number in range(args.reports):
    run.log("accuracy", args.lr + number / 1000)
    run.log("loss", 1 / (number + 1))
    print(f"report {number} <b>", flush=True)
    time.sleep(args.pause)
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/model.txt").write_text(str(args.lr))
"""
NAME = "<img src=x onerror=alert(1)>"


def submitter(studio: LiveStudio, folder: Path) -> Callable[..., str]:
    """Return what submits the sweep, with changes, and answers its id."""
    (folder / "train.py").write_text(SCRIPT)

    def start(**changes: Any) -> str:
        spec = {
            "name": NAME,
            "experiment": "browser",
            "source_directory": str(folder),
            "script": "train.py",
            "search_space": {
                "lr": "uniform(0, 0.5)",
                "momentum": "uniform(0.5, 0.9)",
                "layers": "choice(1, 2, 3)",
            },
            "sampling": {"type": "random", "seed": 5},
            "primary_metric": {"name": "accuracy", "goal": "maximize"},
            "max_total_runs": 1,
            **changes,
        }
        return str(studio.api("/sweeps", spec)["id"])

    return start
