"""What one `run.log` costs, beside one write(2) and other clients. Never part of the suite.

All of them log in turn, round by round, each in a process of its own.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench_peer_pages import served
from tests.bench_setting import Setting, running_studio
from tests.bench_table import Figure, failed, quantile, summed_up
from tests.bench_worker import Worker, WorkerError, script
from tests.servers import ROOT, LiveStudio, free_port

MEDIAN, P99 = "run.log, median", "run.log, p99"
WHOLE = "all-in per call, until it can be queried"
OWN, FLOOR = "", "floor"


@dataclass(slots=True)
class Contender:
    """One client: how to start it, how often it is called in a round, and what it told."""

    name: str
    package: str
    script: str
    words: list[str]
    calls: int
    note: str = ""
    worker: Worker | None = None
    who: str = ""
    times: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    problem: Exception | None = None


def bench_log(setting: Setting) -> Iterator[Figure]:
    """Yield the cost of a call, and of a call until its value is stored."""
    with ExitStack() as stack:
        studio = stack.enter_context(running_studio(workers=0))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="log-")))
        contenders = clients(setting, stack, folder)
        for one in contenders:
            start(one, setting, stack, folder)
        own = next(one for one in contenders if one.who == OWN)
        feeder = stack.enter_context(feeder_of(studio, folder / own.script / "metrics.jsonl"))
        for _ in range(setting.few(5, 2)):
            for one in contenders:
                log_once(one, setting, feeder if one is own else None)
        yield from figures(contenders)


def clients(setting: Setting, stack: ExitStack, folder: Path) -> list[Contender]:
    """Return ours, the floor, and every peer that is installed."""
    many, few = setting.few(4000, 100), setting.few(40, 5)
    found = [
        Contender(FLOOR, "", "log_floor", [], many),
        Contender(OWN, "", "log_studio", [], many),
        Contender("W&B offline", "wandb", "log_wandb", [], setting.few(1000, 50), "not queryable"),
        Contender("TensorBoard", "tensorboardX", "log_tensorboard", [], many, "a file"),
        Contender("Aim", "aim", "log_aim", [], setting.few(1000, 50)),
        Contender("Optuna, SQLite", "optuna", "log_optuna", [], few * 2),
    ]
    if setting.version("mlflow"):
        port, home = free_port(), folder / "server"
        home.mkdir()
        address = f"http://127.0.0.1:{port}"
        words = ["-m", "mlflow", "server", "--port", str(port)]
        words += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
        words += ["--uvicorn-opts", "--timeout-worker-healthcheck 120"]
        stack.enter_context(served([setting.peers, *words], port, home))
        for kind, count in (("sync", few), ("async", few * 4)):
            name = f"MLflow server, {kind}"
            found.append(Contender(name, "mlflow", "log_mlflow", [address, kind], count))
    return found


def start(one: Contender, setting: Setting, stack: ExitStack, folder: Path) -> None:
    """Start the process of a client, where it is installed."""
    home = folder / (one.script + "".join(one.words[1:]))
    home.mkdir()
    if not one.package:
        python, one.who = sys.executable, one.name
    else:
        python, version = setting.peers, setting.version(one.package)
        if version is None:
            return
        one.who = f"{one.name} {version}"
    extra = {"PYTHONPATH": str(ROOT)} if not one.package else {}
    try:
        one.worker = stack.enter_context(script(python, one.script, home, *one.words, **extra))
        one.worker.ask(f"calls {max(1, one.calls // 10)}")
    except (WorkerError, OSError) as error:
        one.problem = error


def feeder_of(studio: LiveStudio, journal: Path) -> Worker:
    """Return what brings the reports of a journal into the database."""
    environment = studio.environment | {"DJANGO_SETTINGS_MODULE": "studio.settings"}
    command = [sys.executable, "-m", "tests.bench_own", "--journal", str(journal)]
    return Worker(command, environment=environment)


def log_once(one: Contender, setting: Setting, feeder: Worker | None) -> None:
    """Let a client log a round of calls, and one of calls until they are stored."""
    if one.worker is None or one.problem is not None:
        return
    # What others store in chunks is measured over as many calls as one flush has.
    count = one.calls if one.calls < setting.few(1000, 50) else setting.few(20_000, 200)
    try:
        one.times += one.worker.ask(f"calls {one.calls}")
        if feeder is not None:
            feeder.ask("drain 0")
        seconds = float(one.worker.ask(f"whole {count}"))
        if feeder is not None:
            seconds += float(feeder.ask("drain 0"))
        one.whole.append(1e6 * seconds / count)
    except WorkerError as error:
        one.problem = error


def figures(contenders: list[Contender]) -> Iterator[Figure]:
    """Yield the rows, ours first."""
    floor = next(one for one in contenders if one.name == FLOOR)
    assert floor.worker is not None
    bare = statistics.median(floor.worker.ask("bare 2000"))
    for one in contenders:
        if one is floor:
            continue
        is_own = one.who == OWN and not one.package
        if one.problem is not None:
            yield failed(MEDIAN, one.problem, one.who)
        if not one.whole:
            continue
        count = f"{len(one.times)} calls; write(2) alone {bare:.1f} us" if is_own else one.note
        # The floor's own calls have no way to be queried: one write is all it is.
        for what, values, share, least, targets in (
            (MEDIAN, one.times, 0.5, floor.times, (11, 7, 3.7)),
            (P99, one.times, 0.99, floor.times, (50, 20, 6.7)),
            (WHOLE, one.whole, 0.5, floor.whole, (25, 15, 3.9)),
        ):
            if is_own:
                must, aim, then = targets
                found = {"must": must, "aim": aim, "floor_then": then}
                found["floor"] = quantile(least, share)
            else:
                found = {"who": one.who}
            if what == P99:
                yield Figure(what, quantile(values, share), "us", **found)  # type: ignore[arg-type]
            else:
                note = count if what == MEDIAN or not is_own else "script and worker, one by one"
                yield summed_up(what, values, "us", note=note, **found)
