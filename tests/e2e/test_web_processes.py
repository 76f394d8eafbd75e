"""`studio up` with two web processes: either answers alone, they count together, one may die."""

from __future__ import annotations

import http.cookiejar
import json
import os
import shutil
import signal
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from websockets.sync.client import ClientConnection, connect

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

TOKEN = "scrape-me-if-you-can"
SECONDS = 60


@pytest.fixture(scope="module")
def studio() -> Iterator[LiveStudio]:
    home = Path(tempfile.mkdtemp(prefix="studio-web-"))
    studio = LiveStudio(home, workers=0, STUDIO_WEB_PROCESSES="2", STUDIO_METRICS_TOKEN=TOKEN)
    studio.start()
    yield studio
    studio.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def cookies(studio: LiveStudio) -> str:
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(studio.sign_in_link()).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


@pytest.fixture
def sweep(studio: LiveStudio, tmp_path: Path) -> str:
    """A sweep whose only run waits: there are no workers."""
    (tmp_path / "train.py").write_text("")
    spec = {
        "name": "waits",
        "source_directory": str(tmp_path),
        "script": "train.py",
        "search_space": {"x": "uniform(0, 1)"},
        "primary_metric": {"name": "loss", "goal": "minimize"},
        "max_total_runs": 1,
    }
    return str(studio.api("/sweeps", spec)["id"])


def web(studio: LiveStudio, number: int) -> psutil.Process:
    """Return a web process by its number."""
    assert studio.process is not None
    for process in psutil.Process(studio.process.pid).children():
        if f"studio web {number} " in " ".join(process.cmdline()):
            return process
    raise AssertionError(f"no web {number}")


@contextmanager
def only(studio: LiveStudio, number: int) -> Iterator[None]:
    """Let one of the two answer alone: the other one sleeps, and takes no connection."""
    other = web(studio, 3 - number)
    other.suspend()
    try:
        wait_for(lambda: other.status() == psutil.STATUS_STOPPED)
        yield
    finally:
        other.resume()


def wait_for(is_true: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def scrape(studio: LiveStudio) -> dict[tuple[str, ...], float]:
    """Return all samples of /metrics by name and sorted values of labels."""
    request = urllib.request.Request(
        f"{studio.url}/metrics",
        headers={
            "Authorization": f"Bearer {TOKEN}",
            "Accept": "application/openmetrics-text; version=1.0.0",
        },
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in openmetrics.text_string_to_metric_families(text)
        for sample in family.samples
    }


def healthy(studio: LiveStudio, times: int) -> None:
    for _ in range(times):
        with urllib.request.urlopen(f"{studio.url}/healthz", timeout=SECONDS) as answer:
            assert answer.status == 200


def socket_of(studio: LiveStudio, cookies: str, sweep: str) -> ClientConnection:
    address = studio.url.replace("http", "ws", 1)
    headers = {"Cookie": cookies}
    return connect(
        f"{address}/ws/sweeps/{sweep}/?after=0",
        additional_headers=headers,
        origin=studio.url,  # type: ignore[arg-type]
        open_timeout=SECONDS,
    )


def wait_for_state(socket: ClientConnection, state: str) -> None:
    """Read frames until one says that the sweep is in a state."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        frame = json.loads(socket.recv(timeout=SECONDS))
        if any(event.get("sweep", {}).get("status") == state for event in frame["events"]):
            return
    raise AssertionError(state)


def test_counts_are_sums_whoever_is_asked(studio: LiveStudio) -> None:
    key = ("studio_http_requests_total", "200", "GET", "healthz")
    before = scrape(studio).get(key, 0)
    for number, times in ((1, 3), (2, 4)):
        with only(studio, number):
            healthy(studio, times)

    found = []
    for number in (1, 2):
        with only(studio, number):
            found.append(scrape(studio))

    assert [samples[key] - before for samples in found] == [7, 7]
    assert all(
        samples["studio_http_request_seconds_count", "GET", "healthz"] == samples[key]
        for samples in found
    )
    memory = {key for key in found[0] if key[0] == "process_resident_memory_bytes"}
    assert {number for _, number in memory} == {"1", "2"}


@pytest.mark.parametrize("number", [1, 2])
def test_socket_tells_what_was_done_in_the_other_process(
    studio: LiveStudio, cookies: str, sweep: str, number: int
) -> None:
    with ExitStack() as opened:
        with only(studio, number):
            socket = opened.enter_context(socket_of(studio, cookies, sweep))
        wait_for(lambda: scrape(studio)["studio_websockets",] == 1)

        with only(studio, 3 - number):
            studio.api(f"/sweeps/{sweep}/pause", {})
        wait_for_state(socket, "Paused")

    wait_for(lambda: scrape(studio)["studio_websockets",] == 0)


def test_one_that_dies_leaves_its_counts_and_the_other_goes_on(studio: LiveStudio) -> None:
    key = ("studio_http_requests_total", "200", "GET", "healthz")
    with only(studio, 1):
        healthy(studio, 2)
    before = scrape(studio)[key]
    first = web(studio, 1).pid

    os.kill(first, signal.SIGKILL)
    healthy(studio, 20)
    wait_for(lambda: "web 1 ended (signal 9)" in studio.output.read_text())
    wait_for(lambda: web_or_none(studio, 1) is not None)
    with only(studio, 1):
        healthy(studio, 2)
        after = scrape(studio)

    assert after[key] == before + 22
    assert web(studio, 1).pid != first
    assert after["process_resident_memory_bytes", "1"] > 0


def web_or_none(studio: LiveStudio, number: int) -> int | None:
    try:
        return web(studio, number).pid
    except (AssertionError, psutil.Error):
        return None
