"""Measure how well samplers search: regret, paired wins, time; prints one table.

Started by `make bench-search` (`python -m tests.bench_search --help`). Never part of the suite.
Problems come from `tests.search_problems` (--functions: `tests.search_functions`), or from a folder
with `tunebench.py` (`problems_b()`) and `baseline_b.json`: --problems or SEARCH_PROBLEMS. Regret
is (loss of the best run so far - best known) / (median of random search - best known), at most 2: 0
is perfect, 1 is random. The best run is picked by its measured metric and judged without noise.
"""

from __future__ import annotations

import argparse
import heapq
import importlib.util
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.space.space import Params, SearchSpace
from tests.search_functions import make_function
from tests.search_peers import Peer, find_peers
from tests.search_problems import UNSEEN, Problem, make_problem

Record = dict[str, Any]


@dataclass(frozen=True)
class Reference:
    """The best known loss, and the median of random search after each number of runs."""

    best: float
    median: Mapping[int, float]


@dataclass(frozen=True)
class Suite:
    """Problems with their references."""

    problems: Sequence[Problem]
    references: Mapping[str, Reference]


# ---------------------------------------------------------------- problems and references
def own_suite(
    make: Callable[[int], Problem], first: int, count: int, budgets: Sequence[int]
) -> Suite:
    """Return made-up problems; random search is measured here."""
    problems = [make(seed) for seed in range(first, first + count)]
    return Suite(problems, {p.name: measure_reference(p, budgets) for p in problems})


def measure_reference(problem: Problem, budgets: Sequence[int], pool_size: int = 4000) -> Reference:
    """Return the best of a thorough search, and the medians of 400 random searches."""
    rng = np.random.default_rng(zlib.crc32(problem.name.encode()))
    pool = [problem.space.sample(rng) for _ in range(pool_size)]
    losses = np.array([problem.loss(params) for params in pool])
    starts = [pool[i] for i in np.argsort(losses)[:3]]
    best = min(polish(problem, start, rng) for start in starts)
    median = {}
    for budget in budgets:
        picked = losses[rng.integers(pool_size, size=(400, budget))]
        measured = picked + problem.noise * rng.normal(size=picked.shape)
        chosen = measured.argmin(axis=1)
        median[budget] = float(np.median(picked[np.arange(400), chosen]))
    return Reference(best, median)


def polish(problem: Problem, start: Params, rng: np.random.Generator) -> float:
    """Return the loss of a local search: other values of one parameter, ever smaller steps."""
    space, params, best = problem.space, dict(start), problem.loss(start)
    step = 0.2
    for _ in range(60):
        before = best
        for name, expression in space.expressions.items():
            values = expression.values()
            if not values or len(values) > 40:
                here = expression.to_unit(params[name])
                moves = rng.uniform(-step, step, 8)
                values = [expression.from_unit(float(np.clip(here + m, 0, 1))) for m in moves]
            for value in values:
                trial = {**params, name: value}
                loss = problem.loss(trial)
                if loss < best:
                    params, best = trial, loss
        if best > before - 1e-3 * abs(before):
            step *= 0.5
    return best


def folder_suite(folder: Path) -> Suite:
    """Return the problems of a `tunebench.py` and its measured baseline."""
    spec = importlib.util.spec_from_file_location("tunebench", folder / "tunebench.py")
    if spec is None or spec.loader is None or not (folder / "tunebench.py").is_file():
        raise SystemExit(f"{folder} has no tunebench.py; name the folder of a problem set.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["tunebench"] = module
    spec.loader.exec_module(module)
    stored = json.loads((folder / "baseline_b.json").read_text("utf-8"))
    problems = [
        Problem(p.name, p.group, SearchSpace.parse(_raw(p.space)), p.goal, p.loss, p.noise)
        for p in module.problems_b()
    ]
    references = {
        name: Reference(row["best"], {int(n): value for n, value in row["median"].items()})
        for name, row in stored.items()
    }
    return Suite(problems, references)


def _raw(space: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    names = {"min": "min_value", "max": "max_value"}
    return {
        parameter: {names.get(key, key): value for key, value in expression.items()}
        for parameter, expression in space.items()
    }


# ---------------------------------------------------------------- one search
def replay(
    problem: Problem, make: Callable[..., Peer], budget: int, pending: int, seed: int
) -> Record:
    """Search once: `pending` runs at a time, a new one as soon as one has ended."""
    rng = np.random.default_rng([zlib.crc32(problem.name.encode()), seed])
    durations, noise = rng.lognormal(0, 0.5, budget), rng.normal(0, 1, budget)
    peer = make(problem.space, problem.goal, seed)
    sign = 1.0 if problem.goal == "minimize" else -1.0
    queue: list[tuple[float, int, Params]] = []
    started, now, track, milliseconds = 0, 0.0, [], []
    top = current = float("inf")
    while started < budget or queue:
        free = min(pending - len(queue), budget - started)
        if free > 0:
            begun = time.process_time()
            found = peer.suggest(free)
            milliseconds.append(1e3 * (time.process_time() - begun) / free)
            for params in found:
                if not problem.space.contains(params):
                    raise ValueError(f"{problem.name}: {params} is outside the space.")
                heapq.heappush(queue, (now + durations[started], started, params))
                started += 1
        now, number, params = heapq.heappop(queue)
        loss = problem.loss(params)
        measured = loss + problem.noise * noise[number]
        if measured < top:
            top, current = measured, loss
        track.append(current)
        peer.report(params, sign * measured)
    return {"problem": problem.name, "kind": problem.kind, "seed": seed, "track": track,
            "ms": float(np.median(milliseconds))}  # fmt: skip


def regret(record: Record, suite: Suite, budget: int) -> float | None:
    """Return the normalised regret after `budget` runs; None where random search is perfect."""
    reference = suite.references[record["problem"]]
    span = reference.median[budget] - reference.best
    if span <= 1e-12:
        return None
    return float(np.clip((record["track"][budget - 1] - reference.best) / span, 0.0, 2.0))


# ---------------------------------------------------------------- the table
def summarise(records: Sequence[Record], suite: Suite, budget: int) -> dict[str, Any]:
    """Return mean and median regret over the problems, each by the mean of its seeds."""
    by_problem: dict[str, list[float]] = {}
    for record in records:
        value = regret(record, suite, budget)
        if value is not None:
            by_problem.setdefault(record["problem"], []).append(value)
    means = {name: float(np.mean(values)) for name, values in by_problem.items()}
    every = np.array(list(means.values()))
    return {"mean": float(every.mean()), "median": float(np.median(every)), "problems": len(every),
            "worse": int((every > 1.0).sum()), "by_problem": means}  # fmt: skip


def paired_wins(ours: Sequence[Record], others: Sequence[Record], budget: int) -> float:
    """Return the share of searches with a smaller loss than the other's; ties count half."""
    theirs = {(r["problem"], r["seed"]): r["track"][budget - 1] for r in others}
    points = []
    for record in ours:
        difference = theirs[record["problem"], record["seed"]] - record["track"][budget - 1]
        points.append(0.5 if abs(difference) < 1e-12 else float(difference > 0))
    return float(np.mean(points))


def main() -> None:
    """Measure every sampler that is installed and print the table."""
    options = _options()
    budgets = sorted({max(options.budget // 2, 1), options.budget})
    if options.problems:
        suite = folder_suite(Path(options.problems))
    else:
        make = make_function if options.functions else make_problem
        suite = own_suite(make, UNSEEN if options.unseen else 0, options.count, budgets)
    peers, absent = find_peers()
    wanted = options.samplers.split(",") if options.samplers else list(peers)
    results = {}
    for name in wanted:
        results[name] = [
            replay(problem, peers[name], options.budget, options.concurrency, seed)
            for problem in suite.problems
            for seed in range(options.seeds)
        ]
        _print_row(name, results, suite, budgets)
    for name in absent:
        print(f"{name:<20} not installed")
    if options.by_problem:
        _print_problems(results, suite, options.budget)
    if options.json:
        Path(options.json).write_text(json.dumps(results), "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-search", description=__doc__)
    parser.add_argument("--problems", default=os.environ.get("SEARCH_PROBLEMS", ""))
    parser.add_argument("--budget", type=int, default=50, help="runs of a search")
    parser.add_argument("--concurrency", type=int, default=1, help="runs at a time")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--count", type=int, default=36, help="how many problems are made up")
    parser.add_argument("--functions", action="store_true", help="classic test functions")
    parser.add_argument("--unseen", action="store_true", help="those kept for reporting")
    parser.add_argument("--samplers", default="", help="names, by commas; empty for all")
    parser.add_argument("--by-problem", action="store_true")
    parser.add_argument("--json", help="file for every search")
    return parser.parse_args()


def _print_row(
    name: str, results: Mapping[str, Sequence[Record]], suite: Suite, budgets: Sequence[int]
) -> None:
    if len(results) == 1:
        heads = "".join(f"{f'n={n}':>8}" for n in budgets)
        print(f"{'sampler':<20}{heads}  median  >random    CPU ms  bayesian wins against it")
    cells = [summarise(results[name], suite, n) for n in budgets]
    last = cells[-1]
    ms = float(np.median([r["ms"] for r in results[name]]))
    wins = ""
    if "bayesian" in results and name != "bayesian":
        wins = f"{100 * paired_wins(results['bayesian'], results[name], budgets[-1]):.0f} %"
    means = "".join(f"{cell['mean']:8.3f}" for cell in cells)
    worse = f"{last['worse']}/{last['problems']}"
    print(f"{name:<20}{means}{last['median']:8.3f}{worse:>9}{ms:10.1f}  {wins}", flush=True)


def _print_problems(results: Mapping[str, Sequence[Record]], suite: Suite, budget: int) -> None:
    tables = {name: summarise(rows, suite, budget)["by_problem"] for name, rows in results.items()}
    print("\n" + f"{'problem':<24}" + "".join(f"{name:>20}" for name in tables))
    for problem in suite.problems:
        row = [table.get(problem.name) for table in tables.values()]
        print(f"{problem.name:<24}" + "".join("" if v is None else f"{v:20.3f}" for v in row))


if __name__ == "__main__":
    main()
