"""A script registers its own run: it waits until the studio has what it has."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from studio.sdk import UserErrorException, script_run
from studio.sdk.script_run import ScriptRun

VERSION = {
    "id": "net:1",
    "name": "net",
    "version": 1,
    "description": "",
    "tags": {},
    "properties": {"model_framework": "numpy"},
    "stage": "none",
    "run": "HD_x_0",
    "experiment": "e",
    "created": "2026-01-01T00:00:00Z",
    "created_by": None,
    "url": "http://x/",
    "metric": {"name": "a", "goal": "maximize", "value": 0.5},
    "hyperparameters": {},
}


class Studio(ThreadingHTTPServer):
    """Answers as a studio that gets reports and files a while after they were written."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.metrics: list[list[dict[str, Any]]] = [[]]
        self.files: list[list[dict[str, Any]]] = [[]]
        self.registered: list[tuple[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Studio

    def do_GET(self) -> None:
        what = self.path.rsplit("/", 1)[-1]
        states = getattr(self.server, what)
        self.server.asked.append(what)
        self._answer({"items": states.pop(0) if len(states) > 1 else states[0]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.registered.append((self.path, body))
        self._answer(VERSION)

    def log_message(self, *words: Any) -> None:
        """Keep quiet."""

    def _answer(self, document: Any) -> None:
        raw = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    server = Studio()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("STUDIO_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("STUDIO_RUN_TOKEN", "run_x")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    outputs = tmp_path / "code/outputs"
    outputs.mkdir(parents=True)
    (outputs / "model.pkl").write_bytes(b"12345")
    (tmp_path / "metrics.jsonl").touch()
    return ScriptRun("HD_x_0", tmp_path / "metrics.jsonl")


def file(size: int, name: str = "outputs/model.pkl") -> dict[str, Any]:
    return {"path": name, "size": size, "url": ""}


def test_registration_waits_for_reports_and_for_whole_files(studio: Studio, run: ScriptRun) -> None:
    run.log("a", 0.25)
    run.log("a", 0.5)
    studio.metrics = [[], [{"name": "a", "count": 1}], [{"name": "a", "count": 2}]]
    studio.files = [[], [file(3)], [file(5)]]

    model = run.register_model("net", "outputs/model.pkl", model_framework="numpy", tags={"t": 1})

    assert studio.asked == ["metrics"] * 3 + ["files"] * 3
    (request,) = studio.registered
    assert request == (
        "/api/v1/models/net/versions",
        {
            "run": "HD_x_0",
            "path": "outputs/model.pkl",
            "description": "",
            "tags": {"t": "1"},
            "properties": {"model_framework": "numpy"},
        },
    )
    assert (model.name, model.version, model.model_framework) == ("net", 1, "numpy")


def test_files_that_do_not_come_are_said_and_not_registered(
    studio: Studio, run: ScriptRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script_run, "_FILES_SECONDS", 0)
    studio.files = [[file(3)]]

    with pytest.raises(UserErrorException, match="'outputs' has not reached the studio"):
        run.register_model("net", "outputs")
    assert studio.registered == []


def test_path_that_is_not_here_is_left_to_the_studio(studio: Studio, run: ScriptRun) -> None:
    run.register_model("net", "outputs/other")
    run.register_model("net")

    assert [body["path"] for _, body in studio.registered] == ["outputs/other", "net"]


def test_part_of_a_run_registers_its_own_uploads(studio: Studio, run: ScriptRun) -> None:
    part = run.child_run("fold")
    part.register_model("net", "weights.bin")
    part.register_model("net", "outputs/other")

    paths = [body["path"] for _, body in studio.registered]
    assert paths == ["fold/weights.bin", "outputs/other"]
