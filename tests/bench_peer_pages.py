"""Other studios with the same curves in the same browser; what is not installed is left out.

optuna-dashboard draws every trial; the MLflow UI draws ten lines of its choice.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench_browser import Received, browser_page, heap_mb
from tests.servers import free_port

Row = tuple[str, str, str, str]

_PATIENCE = 180_000
_OPTUNA = """
import math, random, sqlite3, sys
import optuna
from optuna.distributions import FloatDistribution
folder, runs, reports = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(storage=f"sqlite:///{folder}/optuna.db", study_name="D",
                            direction="maximize")
space = {f"x{n}": FloatDistribution(0, 1) for n in range(6)}
study.add_trials([
    optuna.trial.create_trial(params={name: random.random() for name in space},
                              distributions=space, value=random.random())
    for _ in range(runs)
])
base = sqlite3.connect(f"{folder}/optuna.db")
base.executemany(
    "insert into trial_intermediate_values (trial_id, step, intermediate_value, "
    "intermediate_value_type) values (?, ?, ?, 'FINITE')",
    ((trial + 1, step, 1 - math.exp(-step / (100 + trial)) + random.gauss(0, 0.01))
     for trial in range(runs) for step in range(reports)),
)
base.commit()
"""
_MLFLOW = """
import math, random, sqlite3, sys, time
import mlflow
from mlflow.entities import Metric
folder, runs, reports = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
client = mlflow.MlflowClient()
experiment = client.create_experiment("D", artifact_location=f"{folder}/artifacts")
now = int(time.time() * 1000)
ids = []
for n in range(runs):
    run = client.create_run(experiment, run_name=f"run-{n}")
    params = [mlflow.entities.Param(f"x{k}", str(random.random())) for k in range(6)]
    client.log_batch(run.info.run_id, params=params,
                     metrics=[Metric("accuracy", random.random(), now, reports)])
    client.set_terminated(run.info.run_id)
    ids.append(run.info.run_id)
base = sqlite3.connect(f"{folder}/mlflow.db")
base.executemany(
    "insert into metrics (key, value, timestamp, step, is_nan, run_uuid) "
    "values ('accuracy', ?, ?, ?, 0, ?)",
    ((1 - math.exp(-step / (100 + n)) + random.gauss(0, 0.01), now + step, step, run)
     for n, run in enumerate(ids) for step in range(reports)),
)
base.commit()
print(experiment)
"""
_OPTUNA_LINES = """n => {
  const plots = [...document.querySelectorAll('.js-plotly-plot')];
  const lines = Math.max(0, ...plots.map((plot) => plot.querySelectorAll('.scatter').length));
  return lines >= n && performance.now();
}"""
_MLFLOW_LINES = """n => {
  const lines = document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length;
  return lines >= n && performance.now();
}"""


def peer_rows(python: str, runs: int, reports: int) -> list[Row]:
    """Measure every peer that `python` can import."""
    rows = []
    for name, module, measure in (
        ("optuna-dashboard", "optuna_dashboard", measure_optuna),
        ("MLflow UI", "mlflow", measure_mlflow),
    ):
        version = version_of(python, module)
        if version is None:
            rows.append((name, "not installed", "", ""))
            continue
        folder = Path(tempfile.mkdtemp(prefix="studio-peer-"))
        try:
            rows += [(f"{name} {version}: {what}", text, "", "") for what, text in
                     measure(python, folder, runs, reports)]  # fmt: skip
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return rows


def version_of(python: str, module: str) -> str | None:
    """Return the version of a module that an interpreter has; None when it has none."""
    name = module.replace("_", "-")
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def measure_optuna(python: str, folder: Path, runs: int, reports: int) -> list[tuple[str, str]]:
    """Open the analytics of a study: every trial has a line among the intermediate values."""
    subprocess.run([python, "-c", _OPTUNA, str(folder), str(runs), str(reports)], check=True)
    port = free_port()
    program = str(Path(python).parent / "optuna-dashboard")
    command = [program, f"sqlite:///{folder}/optuna.db", "--port", str(port)]
    return visit(command, port, f"http://127.0.0.1:{port}/dashboard/studies/1", _OPTUNA_LINES, runs)


def measure_mlflow(python: str, folder: Path, runs: int, reports: int) -> list[tuple[str, str]]:
    """Open the charts of an experiment: they show ten runs."""
    done = subprocess.run(
        [python, "-c", _MLFLOW, str(folder), str(runs), str(reports)],
        check=True,
        capture_output=True,
        text=True,
    )
    experiment = done.stdout.strip().splitlines()[-1]
    port = free_port()
    store = f"sqlite:///{folder}/mlflow.db"
    words = ["-m", "mlflow", "server", "--backend-store-uri", store, "--port", str(port)]
    page = f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs?compareRunsMode=CHART"
    return visit([python, *words], port, page, _MLFLOW_LINES, 10)


def visit(command: list[str], port: int, url: str, lines: str, count: int) -> list[tuple[str, str]]:
    """Start a server, open a page cold and warm, stop it."""
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_until(lambda: answers(port), 120)
        with browser_page("") as (page, tools):
            found = [open_page(page, tools, url, lines, count) for _ in range(2)]
            heap = heap_mb(tools)
        memory = memory_of(server.pid)
    finally:
        stop(server)
    return [
        (f"{count} lines drawn, cold", found[0]),
        (f"{count} lines drawn, warm", found[1]),
        ("heap of the tab", f"{heap:.0f} MB"),
        ("memory of the server after it", f"{memory:.0f} MB"),
    ]


def open_page(page: Any, tools: Any, url: str, lines: str, count: int) -> str:
    """Return how long a page takes to draw its lines, and what came over the wire."""
    from playwright.sync_api import TimeoutError as Late

    page.goto("about:blank")
    with Received(tools) as received:
        page.goto(url, wait_until="commit")
        try:
            found = page.wait_for_function(lines, arg=count, timeout=_PATIENCE)
            text = f"{found.json_value() / 1000:.1f} s"
        except Late:
            text = f"more than {_PATIENCE // 1000} s"
        page.wait_for_timeout(2000)
    return f"{text}, {received.megabytes:.1f} MB"


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
    """End a server and what it started."""
    import psutil

    family = [*psutil.Process(server.pid).children(recursive=True), psutil.Process(server.pid)]
    for process in family:
        process.terminate()
    psutil.wait_procs(family, timeout=10)
