"""Other studios with the same curves in the same browser; what is not installed is left out.

optuna-dashboard draws every trial; the MLflow UI draws ten lines of its choice. What takes longer
than our patience is told as a bound, and what would come after it is left out.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests import bench_pages as ours
from tests.bench_browser import (
    box_of,
    browser_page,
    draw_box,
    heap_mb,
    last_wait,
    places,
    sort_times,
    timed_visit,
    watch_events,
)
from tests.bench_peer_data import LOAD_MLFLOW, LOAD_OPTUNA
from tests.bench_table import Figure, attempt
from tests.servers import clean_environment, free_port

Found = dict[str, Figure]

# Puts a name on the chart of Plotly that has most lines; the other way round, how many it has.
_MARK = """() => {
  const lines = (plot) => plot.querySelectorAll('.scatterlayer .trace').length;
  const plots = [...document.querySelectorAll('.js-plotly-plot')];
  plots.sort((a, b) => lines(b) - lines(a))[0].id = 'bench-plot';
}"""
_COUNT = (
    "Math.max(0, ...[...document.querySelectorAll('.js-plotly-plot')].map("
    "(plot) => plot.querySelectorAll('.scatterlayer .trace').length))"
)
_PLOT = "#bench-plot"
# Of Plotly's chart only this part takes events.
_DRAG = f"{_PLOT} .nsewdrag"


@dataclass(frozen=True, slots=True)
class Peer:
    """A studio that runs: where its charts and its table are, and how its table is sorted.

    `count` lines are all that it draws; `requests` are what its page asks the server for. Without
    `table` it has none that can be sorted, as optuna-dashboard with its list of trials.
    """

    port: int
    pid: int
    charts: str
    count: int
    requests: dict[str, list[tuple[str, Any]]]
    table: str = ""
    rows: str = ""
    header: str = ""


def peer_figures(python: str, runs: int, reports: int, patience: float) -> dict[str, Found]:
    """Measure every peer that `python` can import, by its name."""
    found: dict[str, Found] = {}
    for name, module, start in (
        ("optuna-dashboard", "optuna_dashboard", optuna_dashboard),
        ("MLflow UI", "mlflow", mlflow_ui),
    ):
        version = version_of(python, module)
        if version is None:
            print(f"# {name} is not installed for {python}", file=sys.stderr, flush=True)
            continue
        folder = Path(tempfile.mkdtemp(prefix="studio-peer-"))
        try:
            print(f"# {name} {version}", file=sys.stderr, flush=True)
            with start(python, folder, runs, reports) as peer:
                found[f"{name} {version}"] = measure(peer, patience)
        except Exception:  # noqa: BLE001 - the figures of the others are still to be printed
            traceback.print_exc()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def version_of(python: str, module: str) -> str | None:
    """Return the version of a module that an interpreter has; None when it has none."""
    name = module.replace("_", "-")
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


@contextmanager
def optuna_dashboard(python: str, folder: Path, runs: int, reports: int) -> Iterator[Peer]:
    """Load a study and serve it: every trial has a line among the intermediate values."""
    load(python, LOAD_OPTUNA, folder, runs, reports)
    port = free_port()
    program = str(Path(python).parent / "optuna-dashboard")
    command = [program, f"sqlite:///{folder}/optuna.db", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    study = [("/api/studies/1?after=0", None)]
    with served(command, port, folder) as pid:
        yield Peer(
            port,
            pid,
            charts=f"{address}/dashboard/studies/1",
            count=runs,
            requests={ours.FIRST_RUNS: study, ours.CURVES: study},
        )


@contextmanager
def mlflow_ui(python: str, folder: Path, runs: int, reports: int) -> Iterator[Peer]:
    """Load an experiment and serve it: its charts show ten runs."""
    experiment, *ids = load(python, LOAD_MLFLOW, folder, runs, reports).split()
    port = free_port()
    store = f"sqlite:///{folder}/mlflow.db"
    words = ["-m", "mlflow", "server", "--backend-store-uri", store, "--port", str(port)]
    # Its supervisor ends workers that need more than five seconds to start, again and again.
    words += ["--uvicorn-opts", "--timeout-worker-healthcheck 120"]
    address = f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs"
    api = "/ajax-api/2.0/mlflow"
    search = {"experiment_ids": [experiment], "max_results": 100}
    bulk = f"{api}/metrics/get-history-bulk-interval?metric_key=accuracy&max_results=320"
    # A request takes so many runs at most.
    hundreds = [ids[at : at + 100] for at in range(0, len(ids), 100)]
    with served([python, *words], port, folder) as pid:
        yield Peer(
            port,
            pid,
            charts=f"{address}?compareRunsMode=CHART",
            count=min(10, runs),
            table=address,
            rows='.ag-center-cols-container [row-index="0"]',
            header='[data-testid="sort-header-Created"]',
            requests={
                ours.FIRST_RUNS: [(f"{api}/runs/search", search)],
                ours.CURVES: [
                    (bulk + "".join(f"&run_ids={run}" for run in some), None) for some in hundreds
                ],
            },
        )


def load(python: str, code: str, folder: Path, runs: int, reports: int) -> str:
    """Put the same curves into the store of a peer; return what that printed."""
    done = subprocess.run(
        [python, "-c", code, str(folder), str(runs), str(reports)],
        env=clean_environment(),
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


@contextmanager
def served(command: list[str], port: int, folder: Path) -> Iterator[int]:
    """Run a server until the end; yields its process id."""
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until(lambda: answers(port), 300)
        yield server.pid
    finally:
        stop(server)


def measure(peer: Peer, patience: float) -> Found:
    """Ask the server, then open its pages; what is late ends what comes after it."""
    before = memory_of(peer.pid)
    figures: list[Figure] = []
    for what, asked in peer.requests.items():
        figures += attempt(what, partial(request_figures, peer, what, asked))
    with browser_page("") as (page, tools):
        figures += attempt("charts", partial(chart_figures, peer, page, tools, patience))
        if any(figure.what == ours.HEAP for figure in figures):  # all lines were drawn
            figures += attempt("hover", partial(hover_figures, page))
            figures += attempt("zoom", partial(zoom_figures, page, patience))
    figures.append(Figure(ours.MEMORY, memory_of(peer.pid) - before, "MB"))
    if peer.table:
        with browser_page("") as (page, tools):
            figures += attempt("table", partial(table_figures, peer, page, tools, patience))
    return {figure.what: figure for figure in figures}


def request_figures(peer: Peer, what: str, asked: list[tuple[str, Any]]) -> list[Figure]:
    """Return how long the server takes for what a page asks, of several in a row.

    Five times, or what begins within a minute.
    """
    took: list[float] = []
    size = 0
    while len(took) < 5 and sum(took) < 60_000:
        begun = time.perf_counter()
        size = sum(len(fetch(peer.port, path, body)) for path, body in asked)
        took.append(1000 * (time.perf_counter() - begun))
    note = f"{size / 1e6:.1f} MB" + (f", {len(asked)} requests" if len(asked) > 1 else "")
    return [Figure(what, statistics.median(took), note=note)]


def fetch(port: int, path: str, body: Any) -> bytes:
    """Return what a peer answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} if body is not None else {},
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        return bytes(answer.read())


def chart_figures(peer: Peer, page: Any, tools: Any, patience: float) -> list[Figure]:
    """Open the charts cold and warm, look at the heap; no more where the lines do not come."""
    lines = f"{_COUNT} >= {peer.count}"
    figures = []
    for what, came in ((ours.COLD, ours.COLD_MB), (ours.WARM, ours.WARM_MB)):
        visit = timed_visit(page, tools, peer.charts, lines, patience=patience)
        drawn = f"{peer.count} lines"
        print(f"# {what}: {visit.seconds} s", file=sys.stderr, flush=True)
        figures.append(Figure(came, visit.megabytes, "MB"))
        if visit.seconds is None:
            stands = page.evaluate(_COUNT)
            note = f"{stands} of {drawn} by then"
            figures.append(Figure(what, patience, "s", note=note, is_bound=True))
            return figures
        figures.append(Figure(what, visit.seconds, "s", note=drawn))
    return [*figures, Figure(ours.HEAP, heap_mb(tools), "MB")]


def hover_figures(page: Any) -> list[Figure]:
    """Point at lines of the chart that has most of them."""
    page.evaluate(_MARK)
    watch_events(page, _PLOT)
    return event_figures(ours.HOVER, hover_times(page, box_of(page, _DRAG)))


def zoom_figures(page: Any, patience: float) -> list[Figure]:
    """Zoom into the same chart."""
    took = zoom_times(page, box_of(page, _DRAG), patience)
    return event_figures(ours.ZOOM, took, 1000 * patience)


def event_figures(what: str, took: list[float], most: float = math.inf) -> list[Figure]:
    """Return the median and the longest under the names of our own rows; `most` is a bound."""
    return [
        Figure(f"{what}, {name}", value, is_bound=value >= most)
        for name, value in (("median", statistics.median(took)), ("longest", max(took)))
    ]


def hover_times(page: Any, box: dict[str, float]) -> list[float]:
    """Point at ten places; where the chart tells nothing new, the frame after the event counts."""
    took = []
    for x, y in places(box, 10):
        page.mouse.move(x, y)
        answered = last_wait(page, "plotly_hover", 3)
        took.append(answered or last_wait(page, "pointermove") or 30_000)
    return took


def zoom_times(page: Any, box: dict[str, float], patience: float) -> list[float]:
    """Draw a box three times and go back; ends when the chart does not answer in time."""
    took: list[float] = []
    kind = "plotly_relayout"
    for n in range(3):
        draw_box(page, box["x"] + box["width"] * (0.2 + 0.05 * n), box["y"] + 0.15 * box["height"])
        page.mouse.up()
        answered = last_wait(page, kind, patience)
        if answered is None:  # a chart that tells nothing: the frame after the release counts
            kind = "pointerup"
            answered = last_wait(page, kind, 1)
        if answered is None:
            return [*took, 1000 * patience]
        took.append(answered)
        page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        last_wait(page, "plotly_relayout", 10)
    return took


def table_figures(peer: Peer, page: Any, tools: Any, patience: float) -> list[Figure]:
    """Open the table of runs, and sort it."""
    there = f"document.querySelector('{peer.rows}')?.textContent"
    opened = [
        timed_visit(page, tools, peer.table, there, patience=patience).seconds for _ in range(3)
    ]
    warm = opened[1:]
    if None in warm:  # whether it is slow or elsewhere in this version cannot be told
        print(f"# no table within {patience:.0f} s", file=sys.stderr, flush=True)
        return []
    figures = [Figure(ours.TABLE, statistics.median(s for s in warm if s), "s")]
    header = page.locator(peer.header)
    took = sort_times(page, lambda: header.first, peer.rows, 4)
    return [*figures, Figure(ours.SORT, statistics.median(took))] if took else figures


def answers(port: int) -> bool:
    """Tell whether a server is there."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
    except OSError:
        return False
    return True


def wait_until(is_so: Callable[[], bool], seconds: float) -> None:
    """Wait for something; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"The server did not answer within {seconds:.0f} s.")
        time.sleep(0.3)


def memory_of(pid: int) -> float:
    """Return the PSS of a process and its children in MB."""
    import psutil

    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    return sum(process.memory_full_info().pss for process in family) / 1e6


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server and what it started, by their process ids."""
    import psutil

    if server.poll() is not None:
        return
    family = [*psutil.Process(server.pid).children(recursive=True), psutil.Process(server.pid)]
    for process in family:
        process.terminate()
    _, left = psutil.wait_procs(family, timeout=10)
    for process in left:
        process.kill()
    server.wait(10)
