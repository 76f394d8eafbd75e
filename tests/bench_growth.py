"""What grows with the number of runs: pages, curves, decisions, suggestions, the database.

One studio has a sweep of a tenth of the runs and one of all of them; every figure is measured at
both, in turn. The work without HTTP is done by `tests.bench_inside`. Never part of the suite.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from tests.bench_pages import load_sweep, sign_in
from tests.bench_setting import Setting, running_studio
from tests.bench_table import Figure, failed, plain_number, summed_up
from tests.bench_worker import Worker, WorkerError, script
from tests.servers import LiveStudio

DECISION, LOADING = "policy decision after a report, {}", "curves of the sweep read anew, {} runs"
SUGGESTION = "Bayesian suggestion, {} observations"
_PATHS = {
    "overview": "/sweeps/{}/",
    "charts page": "/sweeps/{}/charts/",
    "table of runs": "/sweeps/{}/runs/",
    "curves of all runs": "/api/v1/sweeps/{}/curves",
    "first page of the runs (API)": "/api/v1/sweeps/{}/runs",
}


def bench_growth(setting: Setting) -> Iterator[Figure]:
    """Yield decisions and suggestions, then what ten times the runs cost."""
    counts = (max(2, setting.runs // 10), setting.runs)
    with ExitStack() as stack:
        studio = stack.enter_context(running_studio(workers=0))
        worker = stack.enter_context(worker_of(studio))
        sizes = [int(worker.ask("size 0"))]
        sweeps = []
        for runs in counts:
            sweeps.append(load_sweep(studio, runs, setting.reports))
            sizes.append(int(worker.ask("size 0")))
        yield from decisions(worker, setting, counts)
        yield from suggestions(worker, setting, stack, counts)
        yield from pages(studio, setting, sweeps, counts)
        points = [runs * setting.reports for runs in counts]
        added = [(sizes[n + 1] - sizes[n]) / 1e6 for n in range(2)]
        yield growth("size in the database", added, "MB")
        note = f"{points[1]} points in {counts[1]} runs, everything of the sweep included"
        yield Figure("bytes per point of a whole sweep", 1e6 * added[1] / points[1], "bytes",
                     24, 16, note)  # fmt: skip


def worker_of(studio: LiveStudio) -> Worker:
    """Return a process with the settings of the studio."""
    environment = studio.environment | {"DJANGO_SETTINGS_MODULE": "studio.settings"}
    return Worker([sys.executable, "-m", "tests.bench_inside"], environment=environment)


def decisions(worker: Worker, setting: Setting, counts: Sequence[int]) -> Iterator[Figure]:
    """Yield what a decision takes after a report: reading what is new, deciding, storing it."""
    size = f"{counts[1]} runs x {setting.reports} intervals"
    for policy in ("bandit", "median_stopping", "truncation_selection"):
        found: list[dict[str, Any]] = [
            worker.ask(f"{policy} {runs * 1000 + setting.few(100, 5)}") for runs in counts
        ]
        what = DECISION.format(f"{policy}, {size}")
        yield summed_up(what, found[1]["decisions"], "ms", 5, aim=1, note="reading included")
        medians = [_median(one["decisions"]) for one in found]
        yield growth(f"decision, {policy}", medians, "ms")
        if policy == "bandit":
            once = found[1]["first"]
            yield Figure(LOADING.format(counts[1]), once, "ms", note="once in a worker's process")


def suggestions(
    worker: Worker, setting: Setting, stack: ExitStack, counts: Sequence[int]
) -> Iterator[Figure]:
    """Yield what a suggestion takes, beside Optuna's TPE with as many observations."""
    version = setting.version("optuna")
    peer: Worker | None = None
    if version:
        try:
            peer = stack.enter_context(script(setting.peers, "suggest_optuna"))
        except WorkerError as error:
            yield failed(SUGGESTION.format(counts[0]), error, f"Optuna TPE {version}")
    medians = []
    for runs in counts:
        found: list[float] = []
        others: list[float] = []
        for _ in range(setting.few(3, 1)):
            found += worker.ask(f"suggest {runs * 1000 + setting.few(5, 2)}")
            if peer is not None:
                others += peer.ask(f"ask_after_{runs} {setting.few(5, 2)}")
        medians.append(_median(found))
        yield summed_up(SUGGESTION.format(runs), found, "ms", note="history read from the database")
        if others:
            name = f"Optuna TPE in memory {version}"
            yield summed_up(SUGGESTION.format(runs), others, "ms", who=name)
    yield growth("Bayesian suggestion", medians, "ms")


def pages(
    studio: LiveStudio, setting: Setting, sweeps: Sequence[str], counts: Sequence[int]
) -> Iterator[Figure]:
    """Yield what a tenth and all of the runs take on the pages, as a signed-in client gets them."""
    read = sign_in(studio)
    for name, path in _PATHS.items():
        took: list[list[float]] = [[], []]
        for sweep in sweeps:
            read(path.format(sweep))
        for _ in range(setting.few(15, 2)):
            for sweep, times in zip(sweeps, took, strict=True):
                begun = time.perf_counter()
                read(path.format(sweep))
                times.append(1000 * (time.perf_counter() - begun))
        yield growth(name, [_median(times) for times in took], "ms")
    del counts


def growth(name: str, medians: Sequence[float], unit: str) -> Figure:
    """Return how many times as much ten times the runs take."""
    least, most = medians
    ratio = most / least if least else None
    low, high = plain_number(least, unit), plain_number(most, unit)
    figure = Figure(f"10 x the runs: {name}", ratio, "x")
    return replace(figure, note=f"{low} to {high} {unit}")


def _median(values: Sequence[float]) -> float:
    return summed_up("", values, "").value or 0.0
