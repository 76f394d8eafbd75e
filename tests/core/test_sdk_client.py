"""The REST client against real HTTP servers: where a studio is found, what is repeated, errors."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from studio.sdk.client import (
    Connection,
    StudioClient,
    StudioRefusedError,
    StudioUnreachableError,
    find_connection,
)

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}


class ScriptedServer:
    """Answers requests one after the other as told, and keeps what it was asked."""

    def __init__(self, answers: list[Answer], *, port: int = 0) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                outer.asked.append((self.command, self.path, dict(self.headers), body))
                status, headers, payload = answers.pop(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *args: object) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    started: list[ScriptedServer] = []

    def start(*answers: Answer) -> ScriptedServer:
        started.append(ScriptedServer(list(answers)))
        return started[-1]

    yield start
    for server in started:
        server.close()


def _client(server: ScriptedServer, patience: float = 5.0) -> StudioClient:
    return StudioClient(Connection(server.url, "st_secret"), patience=patience)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_find_connection_prefers_the_environment(tmp_path: Path) -> None:
    found = find_connection({"STUDIO_URL": "http://far:1/", "STUDIO_TOKEN": " t "}, tmp_path)

    assert found == Connection("http://far:1", "t")


def test_find_connection_reads_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "address.json").write_text('{"url": "http://127.0.0.1:8000/", "pid": 1}')
    (tmp_path / "cli-token").write_text("st_local\n")

    assert find_connection({}, tmp_path) == Connection("http://127.0.0.1:8000", "st_local")


def test_find_connection_takes_a_token_for_the_local_studio(tmp_path: Path) -> None:
    (tmp_path / "address.json").write_text('{"url": "http://127.0.0.1:8000"}')
    (tmp_path / "cli-token").write_text("st_local")

    found = find_connection({"STUDIO_TOKEN": "st_mine"}, tmp_path)

    assert found == Connection("http://127.0.0.1:8000", "st_mine")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "studio up"),
        ({"STUDIO_URL": "http://far:1"}, "STUDIO_TOKEN is not set"),
        ({"STUDIO_URL": "far:1", "STUDIO_TOKEN": "t"}, "not an address"),
    ],
)
def test_find_connection_says_what_to_do(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    with pytest.raises(StudioUnreachableError, match=words):
        find_connection(environment, tmp_path)


def test_find_connection_never_gives_the_local_token_to_another_studio(tmp_path: Path) -> None:
    (tmp_path / "address.json").write_text('{"url": "http://127.0.0.1:8000"}')
    (tmp_path / "cli-token").write_text("st_local")

    with pytest.raises(StudioUnreachableError):
        find_connection({"STUDIO_URL": "http://far:1"}, tmp_path)


def test_get_sends_token_and_query(serve: Callable[..., ScriptedServer]) -> None:
    server = serve((200, JSON, b'{"a": 1}'))

    assert _client(server).get("sweeps", state="Running", cursor=None) == {"a": 1}
    method, path, headers, _ = server.asked[0]
    assert (method, path) == ("GET", "/api/v1/sweeps?state=Running")
    assert headers["Authorization"] == "Bearer st_secret"


def test_get_is_repeated_when_the_studio_restarts(serve: Callable[..., ScriptedServer]) -> None:
    server = serve((503, {}, b"later"), (502, {}, b"soon"), (200, JSON, b"[]"))

    assert _client(server).get("compute") == []
    assert len(server.asked) == 3


def test_post_is_never_repeated_after_it_arrived(serve: Callable[..., ScriptedServer]) -> None:
    server = serve((503, {}, b"later"))

    with pytest.raises(StudioUnreachableError, match="503"):
        _client(server).post("sweeps", {})
    assert len(server.asked) == 1


def test_post_waits_for_a_studio_that_is_starting() -> None:
    port = _free_port()
    late: list[ScriptedServer] = []
    timer = threading.Timer(
        0.5, lambda: late.append(ScriptedServer([(200, JSON, b"{}")], port=port))
    )
    timer.start()
    try:
        client = StudioClient(Connection(f"http://127.0.0.1:{port}", "t"), patience=10)
        assert client.post("sweeps", {"name": "x"}) == {}
    finally:
        timer.join()
        late[0].close()


def test_refusal_carries_every_problem(serve: Callable[..., ScriptedServer]) -> None:
    errors = [{"path": "compute", "message": "no"}, {"path": "script", "message": "none"}]
    document = json.dumps({"detail": "2 values are wrong.", "errors": errors}).encode()
    server = serve((422, {"Content-Type": "application/problem+json"}, document))

    with pytest.raises(StudioRefusedError) as caught:
        _client(server).post("sweeps", {})

    assert (caught.value.status, caught.value.errors) == (422, errors)


def test_token_is_not_carried_along_a_redirect(serve: Callable[..., ScriptedServer]) -> None:
    other = serve((200, JSON, b"{}"))
    server = serve((302, {"Location": other.url}, b""))

    with pytest.raises(StudioUnreachableError, match="final address"):
        _client(server).get("sweeps")
    assert other.asked == []


@pytest.mark.parametrize("answer", [(200, {}, b"<html>"), (404, {}, b"<html>not here")])
def test_another_server_is_named_as_such(
    serve: Callable[..., ScriptedServer], answer: Answer
) -> None:
    with pytest.raises(StudioUnreachableError, match="is it a studio"):
        _client(serve(answer), patience=0).get("sweeps")


def test_nobody_there_says_how_to_start_one() -> None:
    client = StudioClient(Connection(f"http://127.0.0.1:{_free_port()}", "t"), patience=0)

    with pytest.raises(StudioUnreachableError, match="studio up"):
        client.get("sweeps")


def test_loopback_is_reached_past_a_proxy(
    serve: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{_free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    server = serve((200, JSON, b"{}"))

    assert _client(server, patience=0).get("sweeps") == {}


def test_pages_are_followed_to_the_end(serve: Callable[..., ScriptedServer]) -> None:
    server = serve(
        (200, JSON, b'{"items": [1, 2], "next_cursor": "abc"}'),
        (200, JSON, b'{"items": [3], "next_cursor": null}'),
    )

    assert list(_client(server).pages("sweeps", limit=2)) == [1, 2, 3]
    assert server.asked[1][1] == "/api/v1/sweeps?cursor=abc&limit=2"


def test_upload_sends_the_whole_file(serve: Callable[..., ScriptedServer]) -> None:
    server = serve((201, JSON, b'{"id": "d"}'))
    body = io.BytesIO(b"zip" * 100_000)
    body.read(5)

    assert _client(server).upload("snapshots", body, "application/zip") == {"id": "d"}
    assert server.asked[0][3] == b"zip" * 100_000


def test_download_writes_the_bytes(serve: Callable[..., ScriptedServer]) -> None:
    target = io.BytesIO()

    _client(serve((200, {}, b"\x00" * 200_000))).download("runs/r/files/outputs/m", target)

    assert target.getvalue() == b"\x00" * 200_000
