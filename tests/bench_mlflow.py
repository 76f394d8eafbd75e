"""Measure the unmodified MLflow client against this studio, an empty server and MLflow's own.

    python -m tests.bench_mlflow [--server PATH/TO/mlflow]

`--server` names the `mlflow` program of an environment with the whole package; without it that
column stays empty. The client is the one of this environment, the same for all. Rounds alternate
between the servers, so that all of them see the same machine. Never part of the test suite.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
            [sys.executable, "-m", "tests.bench_mlflow", "--client"],
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
    with (home / "server.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home)
    url = f"http://127.0.0.1:{port}"
    try:
        run_id = _first_run(url)
        yield Server("MLflow", url, run_id)
    finally:
        process.terminate()
        process.wait()


def _first_run(url: str) -> str:
    deadline = time.monotonic() + 400
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


def measure_metrics(servers: list[Server]) -> dict[str, list[float]]:
    """Return milliseconds of each `log_metric`, servers in turn."""
    clients = {server.name: Client(server) for server in servers}
    found: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(ROUNDS):
        for name, one in clients.items():
            one.tell("metric", CALLS)
            found[name] += [seconds * 1000 for seconds in one.hear()]
    for one in clients.values():
        one.close()
    return found


def measure_batches(
    servers: list[Server], processes: int, *, is_plain: bool = False
) -> dict[str, float]:
    """Return points per second through `log_batch` from so many processes at once.

    `is_plain`: of the server alone, with bytes that were made before.
    """
    rates: dict[str, list[float]] = {server.name: [] for server in servers}
    clients = {server.name: [Client(server) for _ in range(processes)] for server in servers}
    each = max(BATCHES // processes, 4)
    for _ in range(3):
        for name, group in clients.items():
            if is_plain:
                _tell_all(group, "prepare", each)
            begun = time.perf_counter()
            _tell_all(group, "send" if is_plain else "batch", each)
            rates[name].append(each * processes * POINTS / (time.perf_counter() - begun))
    for group in clients.values():
        for one in group:
            one.close()
    return {name: statistics.median(found) for name, found in rates.items()}


def _tell_all(group: list[Client], what: str, count: int) -> None:
    for one in group:
        one.tell(what, count)
    for one in group:
        one.hear()


def main() -> None:
    """Start the servers, measure, print one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", action="store_true")
    parser.add_argument("--server", default="")
    options = parser.parse_args()
    if options.client:
        client()
        return
    home = Path(tempfile.mkdtemp(prefix="studio-bench-"))
    (home / "studio").mkdir()
    try:
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(stub()), stack.enter_context(studio(home / "studio"))]
            if options.server:
                servers.append(stack.enter_context(mlflow_server(options.server, home)))
            _print(servers)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _print(servers: list[Server]) -> None:
    names = [server.name for server in servers]
    print(f"load average {os.getloadavg()[0]:.1f}, {threading.active_count()} thread")
    print("| what | " + " | ".join(names) + " |")
    found = measure_metrics(servers)
    floor = statistics.median(found["stub"])
    for label, of in (
        ("log_metric, median", statistics.median),
        ("log_metric, p95", lambda values: statistics.quantiles(values, n=20)[-1]),
    ):
        cells = [f"{of(found[name]):.2f} ms" for name in names]
        print(f"| {label} | " + " | ".join(cells) + " |")
    ratios = [f"{statistics.median(found[name]) / floor:.1f} x" for name in names]
    print("| beside the stub | " + " | ".join(ratios) + " |")
    for is_plain in (False, True):
        for processes in (1, 4):
            rates = measure_batches(servers, processes, is_plain=is_plain)
            cells = [f"{rates[name]:,.0f} points/s" for name in names]
            what = "the server alone" if is_plain else "log_batch"
            print(
                f"| {what}, {POINTS} a batch, {processes} processes | " + " | ".join(cells) + " |"
            )


if __name__ == "__main__":
    main()
