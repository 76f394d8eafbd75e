"""The REST API of a real studio: reports over HTTP, a run's token, uploads and downloads."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from studio.sdk.client import Connection, StudioClient, StudioRefusedError
from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

# Reports over HTTP with the token it was given, as a script in any language may do.
SCRIPT = """
import json, os, time, urllib.request

url = os.environ["STUDIO_URL"] + "/api/v1/runs/" + os.environ["STUDIO_RUN_ID"]
headers = {
    "Authorization": "Bearer " + os.environ["STUDIO_RUN_TOKEN"],
    "Content-Type": "application/json",
}
print("token", os.environ["STUDIO_RUN_TOKEN"], flush=True)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for value in (0.25, "NaN", 0.5):
    body = json.dumps([{"name": "score", "value": value, "step": 7}]).encode()
    request = urllib.request.Request(url + "/metrics", data=body, headers=headers, method="POST")
    print(opener.open(request).read().decode(), flush=True)
os.makedirs("outputs", exist_ok=True)
with open("outputs/weights.bin", "wb") as file:
    for i in range(3000):
        file.write(bytes([i % 251]) * 1000)
"""

SPEC = {
    "name": "over http",
    "experiment": "http",
    "script": "train.py",
    "search_space": {"x": "choice(1)"},
    "sampling": "grid",
    "primary_metric": {"name": "score", "goal": "maximize"},
    "max_total_runs": 1,
}


@pytest.fixture(scope="module")
def client(live_studio: LiveStudio) -> StudioClient:
    return StudioClient(Connection(live_studio.url, live_studio.token))


@pytest.fixture(scope="module")
def finished(client: StudioClient, live_studio: LiveStudio) -> dict[str, Any]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("train.py", SCRIPT)
    snapshot = client.upload("snapshots", archive, "application/zip")
    sweep = client.post("sweeps", {**SPEC, "snapshot": snapshot["id"]})
    return live_studio.wait_for_end(sweep["id"])


def _run(client: StudioClient, sweep: dict[str, Any]) -> dict[str, Any]:
    (run,) = client.pages(f"sweeps/{sweep['id']}/runs")
    assert run["status"] == "Completed", run["reason"]
    return dict(run)


def test_reports_over_http_count_like_any_other(
    client: StudioClient, finished: dict[str, Any]
) -> None:
    run = _run(client, finished)

    (series,) = client.get(f"runs/{run['id']}/metrics")["items"]
    assert (series["name"], series["values"]) == ("score", [0.25, "NaN", 0.5])
    assert series["steps"] == [7.0, 7.0, 7.0]
    assert run["best"] == {"value": 0.5, "interval": 3, "step": 7.0}
    assert finished["best_run"]["value"] == 0.5


def test_token_of_a_run_opens_nothing_after_its_end(
    client: StudioClient, finished: dict[str, Any], live_studio: LiveStudio
) -> None:
    run = _run(client, finished)
    log = client.get(f"runs/{run['id']}/logs")["text"].splitlines()
    token = log[0].removeprefix("token ")
    assert log[1] == '{"accepted": 1}'
    late = StudioClient(Connection(live_studio.url, token))

    calls: list[Callable[[], Any]] = [
        lambda: late.get(f"runs/{run['id']}"),
        lambda: late.post(f"runs/{run['id']}/metrics", [{"name": "score", "value": 9}]),
    ]
    for call in calls:
        with pytest.raises(StudioRefusedError) as refused:
            call()
        assert refused.value.status == 401


def test_outputs_are_downloaded_whole(client: StudioClient, finished: dict[str, Any]) -> None:
    run = _run(client, finished)
    files = {file["path"]: file for file in client.get(f"runs/{run['id']}/files")["items"]}
    target = io.BytesIO()

    client.download(f"runs/{run['id']}/files/outputs/weights.bin", target)

    expected = b"".join(bytes([i % 251]) * 1000 for i in range(3000))
    assert hashlib.sha256(target.getvalue()).digest() == hashlib.sha256(expected).digest()
    assert files["outputs/weights.bin"]["size"] == len(expected)


def test_events_tell_the_whole_story_once(client: StudioClient, finished: dict[str, Any]) -> None:
    cursor, events = 0, []
    while True:
        page = client.get(f"sweeps/{finished['id']}/events", after=cursor, limit=3)
        if page["cursor"] == cursor:
            break
        cursor = page["cursor"]
        events += page["events"]

    points = [value for e in events if e["type"] == "metrics" for value in e["values"]]
    assert points == [0.25, "NaN", 0.5]
    assert [e["run"]["status"] for e in events if e["type"] == "run"][-1] == "Completed"
    assert [e["sweep"]["status"] for e in events if e["type"] == "sweep"][-1] == "Completed"
    assert cursor == client.get(f"sweeps/{finished['id']}")["cursor"]


def test_upload_that_is_too_large_is_refused_in_words(live_studio: LiveStudio) -> None:
    request = urllib.request.Request(
        f"{live_studio.url}/api/v1/sweeps",
        data=b" " * (11 * 1024 * 1024),
        headers={
            "Authorization": f"Bearer {live_studio.token}",
            "Content-Type": "application/json",
        },
    )

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)

    with refused.value as answer:
        assert answer.code == 413
        assert "too large" in json.load(answer)["detail"]


def test_connection_that_carried_an_upload_becomes_a_socket(live_studio: LiveStudio) -> None:
    place = urllib.parse.urlsplit(live_studio.url).netloc
    connection = http.client.HTTPConnection(place, timeout=60)
    headers = {"Authorization": f"Bearer {live_studio.token}", "Content-Type": "application/zip"}
    # So large that reading is put off and taken up again while the request is answered.
    connection.request("POST", "/api/v1/snapshots", body=bytes(20_000_000), headers=headers)
    refused = connection.getresponse()
    assert (refused.status, json.loads(refused.read())["status"]) == (422, 422)

    words = [
        "GET /ws/sweeps/?after=0 HTTP/1.1",
        f"Host: {place}",
        f"Origin: {live_studio.url}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    assert connection.sock is not None
    connection.sock.sendall("\r\n".join([*words, "", ""]).encode())
    assert connection.sock.recv(4096).startswith(b"HTTP/1.1 101 ")
    connection.close()
