"""Start on an empty folder until the first page, memory and processor time of a studio at rest.

Each in turn with the servers of other studios, on empty folders too. At rest is a studio without
its example, whose runs would be measured. Never part of the suite.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import psutil

from tests.bench_machine import cpu_seconds, pss_mb
from tests.bench_peer_pages import stop
from tests.bench_setting import Setting
from tests.bench_table import Figure, failed, summed_up
from tests.bench_worker import family_of
from tests.servers import ROOT, clean_environment, free_port

FIRST, SECOND = "start in an empty folder, to the first page", "start again, to the first page"
MEMORY, CPU = "idle memory (PSS)", "idle CPU"


# What the processes of a studio call themselves; RQ's workers say what they do.
_PARTS = {
    "studio web": "web",
    "worker:control@": "watchdog",
    "studio watchdog": "watchdog",
    "worker:local@": "workers",
    "studio worker": "workers",
    "valkey-server": "Redis",
    "redis-server": "Redis",
    "studio.cli up": "supervisor",
}


@dataclass(slots=True)
class Server:
    """What is started: `begin(home, port)` returns its process, whose page is at `path`.

    `rest` begins what rests, where that is something else.
    """

    who: str
    begin: Callable[[Path, int], subprocess.Popen[bytes]]
    path: str = "/"
    rest: Callable[[Path, int], subprocess.Popen[bytes]] | None = None
    prepare: Callable[[Path], object] = lambda home: None
    starts: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    count: int = 0
    parts: str = ""
    problem: Exception | None = None


def bench_idle(setting: Setting) -> Iterator[Figure]:
    """Yield start, memory and processor time of all of them."""
    at_rest = partial(begin_studio, words=["--no-example"])
    servers = [Server("", begin_studio, "/sign-in/", rest=at_rest), *peers(setting)]
    rounds = setting.few(3, 1)
    for number in range(rounds):
        for server in servers:
            if server.problem is None:
                try:
                    look(server, setting, is_last=number == rounds - 1)
                except Exception as error:  # noqa: BLE001 - the others are still to be measured
                    server.problem = error
    yield from figures(servers)


def begin_studio(home: Path, port: int, words: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start a studio with `studio up`, with its example and two slots."""
    return _spawn(
        [sys.executable, "-m", "studio.cli", "up", "--port", str(port), *words],
        home,
        STUDIO_HOME=str(home),
        PYTHONPATH=str(ROOT),
    )


def peers(setting: Setting) -> Iterator[Server]:
    """Yield the studios that are installed."""
    programs = Path(setting.peers).parent
    for name, package, words, path in (
        (
            "MLflow server",
            "mlflow",
            ("mlflow", "server", "--port", "{port}", "--uvicorn-opts",
             "--timeout-worker-healthcheck 120"),
            "/",
        ),
        (
            "optuna-dashboard",
            "optuna-dashboard",
            ("optuna-dashboard", "sqlite:///{home}/optuna.db", "--port", "{port}"),
            "/dashboard/",
        ),
        ("Aim", "aim", ("aim", "up", "--yes", "--repo", "{home}", "--port", "{port}"), "/"),
    ):  # fmt: skip
        version = setting.version(package)
        if version:

            def begin(
                home: Path, port: int, words: tuple[str, ...] = words
            ) -> subprocess.Popen[bytes]:
                program, *rest = (word.format(home=home, port=port) for word in words)
                return _spawn([str(programs / program), *rest], home)

            found = Server(f"{name} {version}", begin, path)
            if package == "optuna-dashboard":  # it serves nothing without tables
                found.prepare = lambda home: make_study(setting.peers, home)
            yield found


def make_study(python: str, home: Path) -> None:
    """Make an empty study where optuna-dashboard looks for one."""
    code = f"import optuna; optuna.create_study(storage='sqlite:///{home}/optuna.db')"
    subprocess.run([python, "-c", code], check=True, capture_output=True, timeout=120)


def _spawn(command: list[str], home: Path, **extra: str) -> subprocess.Popen[bytes]:
    path = f"{Path(command[0]).parent}:/usr/local/bin:/usr/bin:/bin"
    with (home / "server.txt").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=clean_environment(HOME=str(home), PATH=path, **extra),
            start_new_session=True,
        )


def look(server: Server, setting: Setting, *, is_last: bool) -> None:
    """Start a server in an empty folder, then again; at last look at what it takes at rest."""
    home = Path(tempfile.mkdtemp(prefix="idle-"))
    try:
        server.prepare(home)
        with started(server, home) as (_, seconds):
            server.starts.append(seconds)
        with started(server, home) as (process, seconds):
            server.again.append(seconds)
            if server.rest is None:
                look_at_rest(server, process, setting, is_last=is_last)
        if server.rest is not None:
            shutil.rmtree(home)
            home.mkdir()
            with started(replace(server, begin=server.rest), home) as (process, _):
                look_at_rest(server, process, setting, is_last=is_last)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def look_at_rest(
    server: Server, process: subprocess.Popen[bytes], setting: Setting, *, is_last: bool
) -> None:
    """Note what a server takes while nobody wants anything of it, the process itself included."""
    time.sleep(setting.few(8, 1))
    family = family_of(process.pid)
    server.memory.append(pss_mb(family))
    server.count = len(family)
    server.parts = "" if server.rest is None else parts_of(family)
    if is_last:
        server.cpu += idle_cpu(process.pid, setting)


@contextmanager
def started(server: Server, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run a server; yields its process and the seconds until its page was there."""
    port = free_port()
    begun = time.perf_counter()
    process = server.begin(home, port)
    try:
        while not answers(port, server.path):
            assert process.poll() is None, _last_words(home)
            assert time.perf_counter() - begun < 120, "no page within 120 s"
            time.sleep(0.02)
        yield process, time.perf_counter() - begun
    finally:
        stop(process)


def _last_words(home: Path) -> str:
    lines = (home / "server.txt").read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it ended in silence")


def answers(port: int, path: str) -> bool:
    """Tell whether the whole of a page comes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return bool(answer.read()) and answer.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def idle_cpu(pid: int, setting: Setting) -> list[float]:
    """Return the share of a core that a family takes at rest, in three stretches of ten seconds."""
    shares = []
    for _ in range(3):
        before, begun = cpu_seconds(family_of(pid), with_ended=True), time.perf_counter()
        time.sleep(setting.few(10, 1))
        worked = cpu_seconds(family_of(pid), with_ended=True) - before
        shares.append(100 * worked / (time.perf_counter() - begun))
    return shares


def parts_of(family: list[psutil.Process]) -> str:
    """Return what each kind of process of a studio takes."""
    found: dict[str, float] = {}
    for process in family:
        words = " ".join(process.cmdline())
        name = next((name for begin, name in _PARTS.items() if begin in words), "others")
        found[name] = found.get(name, 0) + pss_mb([process])
    return ", ".join(f"{name} {value:.0f}" for name, value in found.items())


def figures(servers: list[Server]) -> Iterator[Figure]:
    """Yield the rows, ours with the targets."""
    for server in servers:
        is_own = not server.who
        if server.problem is not None:
            yield failed(FIRST, server.problem, server.who)
        note = f"{server.count} processes" + (f": {server.parts}" if server.parts else "")
        for what, values, unit, (must, aim), told in (
            (FIRST, server.starts, "s", (3, 2), ""),
            (SECOND, server.again, "s", (3, 2), ""),
            (MEMORY, server.memory, "MB", (240, 180), note),
            (CPU, server.cpu, "%", (1, 0.5), "of a core"),
        ):
            if values:
                yield summed_up(
                    what, values, unit, must if is_own else None, aim=aim if is_own else None,
                    note=told, who=server.who,
                )  # fmt: skip
