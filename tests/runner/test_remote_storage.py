"""Transfers to a studio that is away for a moment, or does not want them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runner import remote_storage
from runner.remote_storage import RemoteStorage, TransferError
from studio.sdk.client import Connection

CODE = b"a zip with the code"


class Studio:
    """Answers with the given states, one after the other, and at last with the code."""

    def __init__(self, *states: int) -> None:
        self.states = list(states)
        studio = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                state = studio.states.pop(0) if studio.states else 200
                body = CODE if state == 200 else b'{"detail": "no", "errors": []}'
                self.send_response(state)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def storage(self) -> RemoteStorage:
        """What a worker of this studio uses."""
        url = f"http://127.0.0.1:{self.server.server_port}"
        return RemoteStorage(Connection(url, "token"), patience=20)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def studio(request, settings, tmp_path, monkeypatch) -> Iterator[Studio]:
    settings.STUDIO_HOME = tmp_path
    monkeypatch.setattr(remote_storage, "_PAUSE_SECONDS", 0.01)
    found = Studio(*request.param)
    yield found
    found.stop()


@pytest.mark.parametrize("studio", [(500, 502, 503)], indirect=True)
def test_studio_that_is_not_well_is_asked_again(studio):
    ticks = []

    path = studio.storage.snapshot(hashlib.sha256(CODE).hexdigest(), lambda: ticks.append(1))

    assert path.read_bytes() == CODE
    assert studio.states == []
    assert ticks


@pytest.mark.parametrize("studio", [(403, 403)], indirect=True)
def test_refusal_is_taken_at_its_word(studio):
    with pytest.raises(TransferError, match="The studio refused"):
        studio.storage.snapshot(hashlib.sha256(CODE).hexdigest(), lambda: None)

    assert studio.states == [403]
