"""The unmodified MLflow client against this studio, an empty server and MLflow's own.

The client is the one of this environment, the same for all; rounds alternate between the servers.
Part `mlflow` of `make bench`. Never part of the test suite.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench_peer_pages import stop
from tests.bench_setting import Setting
from tests.bench_table import Figure, failed, quantile, summed_up
from tests.servers import LiveStudio, clean_environment, free_port

ROUNDS = 5
CALLS = 40
BATCHES = 16
POINTS = 1000
# Waits for its end, and tells who wants to log in its place how.
SCRIPT = """
import json, os, time
names = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID")
print(json.dumps({name: os.environ[name] for name in names}), flush=True)
time.sleep(900)
"""
SPEC = {
    "name": "bench",
    "experiment": "bench",
    "script": "train.py",
    "search_space": {"x": "choice(1)"},
    "sampling": "grid",
    "primary_metric": {"name": "score", "goal": "maximize"},
    "max_total_runs": 1,
}


@dataclass(frozen=True)
class Server:
    """Where a client logs to."""

    name: str
    url: str
    run_id: str
    token: str = ""

    def environment(self) -> dict[str, str]:
        """Return what the client finds the server by."""
        return {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_RUN_ID": self.run_id,
            "MLFLOW_TRACKING_TOKEN": self.token,
        }


def client() -> None:
    """Obey lines of standard input; print seconds per call as JSON.

    `metric N`, `batch N`: calls of the client. `prepare N`, then `send N`: the same batches as
    bytes that were made before, so that the server alone is measured.
    """
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    run_id = os.environ["MLFLOW_RUN_ID"]
    logger = MlflowClient()
    logger.log_metric(run_id, "warm", 1.0)
    print("ready", flush=True)
    step = 0
    bodies: list[bytes] = []
    plain = PlainClient()
    for line in sys.stdin:
        what, _, count = line.partition(" ")
        seconds = []
        for _ in range(int(count)):
            step += 1
            if what == "send":
                seconds.append(plain.send(bodies.pop()))
                continue
            if what == "prepare":
                bodies.append(batch_body(run_id, step))
                continue
            now = int(time.time() * 1000)
            points = [
                Metric(f"m{os.getpid()}", float(i), now, step * POINTS + i) for i in range(POINTS)
            ]
            begun = time.perf_counter()
            if what == "metric":
                logger.log_metric(run_id, "score", 0.5, step=step)
            else:
                logger.log_batch(run_id, metrics=points)
            seconds.append(time.perf_counter() - begun)
        print(json.dumps(seconds), flush=True)


def batch_body(run_id: str, step: int) -> bytes:
    """Return a batch as the client writes it."""
    now = int(time.time() * 1000)
    metrics = [
        {"key": f"m{os.getpid()}", "value": i / 7, "timestamp": now, "step": step * POINTS + i}
        for i in range(POINTS)
    ]
    return json.dumps({"run_id": run_id, "metrics": metrics}).encode()


class PlainClient:
    """Sends bytes over one connection and reads the answers, which costs next to nothing."""

    def __init__(self) -> None:
        parts = urllib.parse.urlsplit(os.environ["MLFLOW_TRACKING_URI"])
        self.address = parts.hostname or "", parts.port or 80
        self.peer: socket.socket | None = None

    def send(self, body: bytes) -> float:
        head = (
            "POST /api/2.0/mlflow/runs/log-batch HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        if self.peer is None:
            self.peer = socket.create_connection(self.address)
            self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begun = time.perf_counter()
        self.peer.sendall(head.encode() + body)
        answer = b""
        while not answer.endswith(b"}"):
            piece = self.peer.recv(1 << 16)
            assert piece, answer
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200"), answer
        return time.perf_counter() - begun


class Client:
    """One process with the client, which logs when it is told to."""

    def __init__(self, server: Server) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench_mlflow"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=clean_environment(**server.environment()),
        )
        assert self._answer() == "ready\n"

    def tell(self, what: str, count: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what} {count}\n")
        self.process.stdin.flush()

    def hear(self) -> list[float]:
        seconds: list[float] = json.loads(self._answer())
        return seconds

    def close(self) -> None:
        self.process.communicate()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@contextlib.contextmanager
def stub() -> Iterator[Server]:
    """An HTTP server that reads requests and answers `{}`, each in one segment."""
    listener = socket.create_server(("127.0.0.1", 0))
    code = (
        "import socket, sys, threading\n"
        "listener = socket.socket(fileno=int(sys.argv[1]))\n"
        "answer = (b'HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n'\n"
        "          b'Content-Length: 2\\r\\n\\r\\n{}')\n"
        "def serve(peer):\n"
        "    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
        "    data = b''\n"
        "    while True:\n"
        "        head, end, rest = data.partition(b'\\r\\n\\r\\n')\n"
        "        sizes = [line.split(b':')[1] for line in head.lower().split(b'\\r\\n')\n"
        "                 if line.startswith(b'content-length')]\n"
        "        size = int(sizes[0]) if sizes else 0\n"
        "        if end and len(rest) >= size:\n"
        "            data = rest[size:]\n"
        "            peer.sendall(answer)\n"
        "            continue\n"
        "        piece = peer.recv(1 << 16)\n"
        "        if not piece:\n"
        "            return\n"
        "        data += piece\n"
        "while True:\n"
        "    peer, _ = listener.accept()\n"
        "    threading.Thread(target=serve, args=(peer,), daemon=True).start()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(listener.fileno())], pass_fds=[listener.fileno()]
    )
    try:
        yield Server("stub", f"http://127.0.0.1:{listener.getsockname()[1]}", "a" * 32)
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def studio(home: Path) -> Iterator[Server]:
    """A whole studio with one run, whose token the clients use."""
    live = LiveStudio(home)
    live.start(300)
    try:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("train.py", SCRIPT)
        snapshot = live.upload("/snapshots", archive.getvalue(), "application/zip")["id"]
        sweep = live.api("/sweeps", {**SPEC, "snapshot": snapshot})
        text = ""
        while "\n" not in text:
            time.sleep(0.2)
            runs = live.api(f"/sweeps/{sweep['id']}/runs")["items"]
            text = live.api(f"/runs/{runs[0]['id']}/logs")["text"] if runs else ""
        given = json.loads(text)
        yield Server(
            "studio", live.url, given["MLFLOW_RUN_ID"], token=given["MLFLOW_TRACKING_TOKEN"]
        )
    finally:
        live.stop()


@contextlib.contextmanager
def mlflow_server(program: str, home: Path) -> Iterator[Server]:
    """MLflow's own server with SQLite, as it is started by default."""
    port = free_port()
    command = [program, "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
    command += ["--artifacts-destination", str(home / "artifacts")]
    # Its supervisor ends workers that need more than five seconds to start, again and again.
    command += ["--uvicorn-opts", "--timeout-worker-healthcheck 120"]
    with (home / "server.txt").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=home, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        run_id = _first_run(url)
        yield Server("MLflow", url, run_id)
    finally:
        stop(process)


def _first_run(url: str) -> str:
    deadline = time.monotonic() + 150
    while True:
        try:
            body = json.dumps({"experiment_id": "0", "start_time": int(time.time() * 1000)})
            request = urllib.request.Request(
                f"{url}/api/2.0/mlflow/runs/create",
                data=body.encode(),
                headers={"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=10) as response:
                return str(json.load(response)["run"]["info"]["run_id"])
        except OSError:
            assert time.monotonic() < deadline, "the MLflow server does not answer"
            time.sleep(0.5)


def measure_metrics(servers: list[Server], setting: Setting) -> dict[str, list[float]]:
    """Return milliseconds of each `log_metric`, servers in turn."""
    clients = {server.name: Client(server) for server in servers}
    found: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(setting.few(ROUNDS, 1)):
        for name, one in clients.items():
            one.tell("metric", setting.few(CALLS, 5))
            found[name] += [seconds * 1000 for seconds in one.hear()]
    for one in clients.values():
        one.close()
    return found


def measure_batches(
    servers: list[Server], processes: int, setting: Setting, *, is_plain: bool = False
) -> dict[str, list[float]]:
    """Return thousands of points per second through `log_batch` from so many processes at once.

    `is_plain`: of the server alone, with bytes that were made before.
    """
    rates: dict[str, list[float]] = {server.name: [] for server in servers}
    clients = {server.name: [Client(server) for _ in range(processes)] for server in servers}
    each = max(setting.few(BATCHES, 2) // processes, setting.few(4, 1))
    for _ in range(setting.few(ROUNDS, 1)):
        for name, group in clients.items():
            if is_plain:
                _tell_all(group, "prepare", each)
            begun = time.perf_counter()
            _tell_all(group, "send" if is_plain else "batch", each)
            seconds = time.perf_counter() - begun
            rates[name].append(each * processes * POINTS / seconds / 1000)
    for group in clients.values():
        for one in group:
            one.close()
    return rates


def _tell_all(group: list[Client], what: str, count: int) -> None:
    for one in group:
        one.tell(what, count)
    for one in group:
        one.hear()


def bench_mlflow(setting: Setting) -> Iterator[Figure]:
    """Yield calls and batches; MLflow's own server where it is installed."""
    home = Path(tempfile.mkdtemp(prefix="m"))
    (home / "studio").mkdir()
    version = setting.version("mlflow")
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(stub()), stack.enter_context(studio(home / "studio"))]
        if version:
            program = str(Path(setting.peers).parent / "mlflow")
            try:
                servers.append(stack.enter_context(mlflow_server(program, home)))
            except (OSError, AssertionError) as error:
                yield failed("log_metric, median", error, f"MLflow server {version}")
        yield from call_figures(measure_metrics(servers, setting), version)
        for is_plain in (False, True):
            for processes in (1, 4):
                rates = measure_batches(servers, processes, setting, is_plain=is_plain)
                yield from batch_figures(rates, processes, version, is_plain=is_plain)


def call_figures(found: dict[str, list[float]], version: str | None) -> Iterator[Figure]:
    """Yield the rows of single calls."""
    stub_times = found["stub"]
    for name, who in (("studio", ""), ("MLflow", f"MLflow server {version}")):
        for label, share in (("median", 0.5), ("p95", 0.95)):
            what = f"log_metric of the MLflow client, {label}"
            if name not in found:
                continue
            value, floor = (quantile(times, share) for times in (found[name], stub_times))
            if who:
                yield Figure(what, value, who=who)
            elif share == 0.5:
                note = f"{len(stub_times)} calls; floor: the client against an empty server"
                yield summed_up(
                    what, found[name], "ms", 4.2, aim=2.8, floor=floor, floor_then=1.4, note=note
                )
            else:
                yield Figure(what, value, floor=floor)


def batch_figures(
    rates: dict[str, list[float]], processes: int, version: str | None, *, is_plain: bool
) -> Iterator[Figure]:
    """Yield the rows of batches; the targets are those of the whole way, client included."""
    kind = "the server alone" if is_plain else "client and server"
    what = f"log_batch of {POINTS}, {processes} process{'es' * (processes > 1)}, {kind}"
    must, aim = {1: (20, 40), 4: (60, 100)}[processes]
    note = f"floor: {statistics.median(rates['stub']):.0f} k points/s, empty server"
    yield summed_up(
        what,
        rates["studio"],
        "k points/s",
        None if is_plain else must,
        aim=None if is_plain else aim,
        note=note,
        is_more_better=True,
    )
    if "MLflow" in rates:
        who = f"MLflow server {version}"
        yield summed_up(what, rates["MLflow"], "k points/s", is_more_better=True, who=who)


if __name__ == "__main__":
    client()
