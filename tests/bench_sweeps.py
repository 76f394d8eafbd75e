"""Bayesian beside random search as a person sees it: real sweeps in a real studio.

Started by `python -m tests.bench_sweeps [--seeds 5] [--epochs 4]`; prints the tables of
docs/reference/search-quality.md. `--methods bayesian` runs that one alone: random search stays.
`--served` measures instead how fast the controller gets a suggestion. Never part of the test suite.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tests.servers import ROOT, LiveStudio, Valkey

EXAMPLE = ROOT / "examples" / "digits-mlp"
SAMPLERS = ("random", "bayesian")
SHOWN = (5, 10, 15, 20, 25, 30, 40, 50, 60)
_MAX_SECONDS = 1800


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--methods", default=",".join(SAMPLERS), help="names, by commas")
    parser.add_argument("--served", action="store_true")
    arguments = parser.parse_args()
    if arguments.served:
        measure_served()
        return
    compare(arguments.methods.split(","), arguments.seeds, arguments.epochs)


def compare(methods: list[str], seeds: int, epochs: int) -> None:
    """Run the methods for every seed, and print the best so far."""
    home = Path(tempfile.mkdtemp(prefix="studio-compare-"))
    studio = LiveStudio(home, workers=4)
    studio.start()
    try:
        found = {name: [] for name in methods}  # type: dict[str, list[list[float]]]
        for seed in range(1, seeds + 1):
            for name in methods:
                begun = time.monotonic()
                found[name].append(best_so_far(studio, name, seed, epochs))
                best, seconds = found[name][-1][-1], time.monotonic() - begun
                print(f"# {name}, seed {seed}: {best:.4f} in {seconds:.0f} s", flush=True)
        print_means(found)
        if set(SAMPLERS) <= found.keys():
            print_seeds(found)
    finally:
        studio.stop()
        shutil.rmtree(home, ignore_errors=True)


def best_so_far(studio: LiveStudio, sampler: str, seed: int, epochs: int) -> list[float]:
    """Run one sweep; return the best accuracy after each run, in the order in which they ended."""
    spec: dict[str, Any] = yaml.safe_load((EXAMPLE / "bayesian.yaml").read_text())
    spec["arguments"] = ["--epochs", epochs]
    spec["sampling"] = {"type": sampler, "seed": seed}
    spec["name"] = f"{sampler} {seed}"
    spec["source_directory"] = str(EXAMPLE)
    file = studio.home / "compared.yaml"
    file.write_text(yaml.safe_dump(spec))
    submitted = subprocess.run(
        [sys.executable, "-m", "studio.cli", "submit", str(file)],
        env=studio.environment,
        cwd=studio.home,
        capture_output=True,
        text=True,
        check=True,
    )
    sweep = submitted.stdout.split()[0]
    studio.wait_for_end(sweep, _MAX_SECONDS)
    runs = studio.api(f"/sweeps/{sweep}/runs?limit=500")["items"]
    values, best = [], float("-inf")
    for run in sorted(runs, key=lambda run: run["ended"]):
        best = max(best, run["best"]["value"] if run["best"] else best)
        values.append(best)
    return values


def print_means(found: dict[str, list[list[float]]]) -> None:
    """Print the mean of all seeds after some runs."""
    shown = [count for count in SHOWN if count <= min(len(curves[0]) for curves in found.values())]
    print("\n| best accuracy after | " + " | ".join(f"{n} runs" for n in shown) + " |")
    print("|---" * (len(shown) + 1) + "|")
    for name, curves in found.items():
        means = [statistics.mean(curve[count - 1] for curve in curves) for count in shown]
        print(f"| {name} | " + " | ".join(f"{mean:.4f}" for mean in means) + " |")


def print_seeds(found: dict[str, list[list[float]]]) -> None:
    """Print the final best of every seed, and how soon Bayesian reached that of random."""
    print("\n| seed | best of random | best of bayesian | bayesian was as good after |")
    print("|---|---|---|---|")
    pairs = zip(found["random"], found["bayesian"], strict=True)
    for seed, (random, bayesian) in enumerate(pairs, start=1):
        soon = next((n for n, v in enumerate(bayesian, start=1) if v >= random[-1]), None)
        after = f"{soon} runs" if soon else "not reached"
        print(f"| {seed} | {random[-1]:.4f} | {bayesian[-1]:.4f} | {after} |")


def measure_served() -> None:
    """Measure a suggestion from the queue and one from the sampler, with SQLite and Valkey."""
    home = Path(tempfile.mkdtemp(prefix="studio-served-"))
    server = Valkey(home)
    server.start()
    environment = os.environ | {
        "STUDIO_HOME": str(home),
        "REDIS_URL": server.url,
        "DJANGO_SETTINGS_MODULE": "studio.settings",
    }
    try:
        for words in (["django", "migrate", "--verbosity", "0"], ["tests.bench_served"]):
            subprocess.run([sys.executable, "-m", *words], env=environment, cwd=ROOT, check=True)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
