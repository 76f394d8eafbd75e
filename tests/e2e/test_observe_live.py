"""A studio with its log as JSON and a token for the scraper: docs/reference/observe.md."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.servers import ROOT, LiveStudio

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "reference" / "observe.md").read_text()
TOKEN = "scrape-me-if-you-can"
# One report by the journal, one by MLflow's protocol, of two runs.
SCRIPT = """\
import argparse, json, os, urllib.request
from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=int)
x = parser.parse_args().x
Run.get_context().log("score", x)
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "score", "value": x + 0.5, "step": 1}
request = urllib.request.Request(
    os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
    json.dumps(body).encode(),
    {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]},
)
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()
"""


def commands(name: str) -> str:
    """Return the block of the page that carries this mark."""
    found = re.search(rf"<!-- tested: {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture(scope="module")
def studio() -> Iterator[LiveStudio]:
    home = Path(tempfile.mkdtemp(prefix="studio-observe-"))
    live = LiveStudio(
        home,
        workers=1,
        STUDIO_LOG_FORMAT="json",
        STUDIO_LOG_REQUESTS="1",
        STUDIO_WEB_PROCESSES="2",
        STUDIO_METRICS_TOKEN=TOKEN,
    )
    live.start()
    yield live
    if live.process is not None:
        live.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def sweep(studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A sweep of two runs that was submitted with a request id of its own."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "train.py").write_text(SCRIPT)
    spec = {
        "name": "observed", "experiment": "observed", "source_directory": str(folder),
        "script": "train.py", "search_space": {"x": "choice(1, 2)"}, "sampling": "grid",
        "primary_metric": {"name": "score", "goal": "maximize"}, "max_total_runs": 2,
    }  # fmt: skip
    request = urllib.request.Request(
        f"{studio.url}/api/v1/sweeps",
        json.dumps(spec).encode(),
        {
            "Authorization": f"Bearer {studio.token}",
            "Content-Type": "application/json",
            "X-Request-ID": "nightly-17",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        assert response.headers["X-Request-ID"] == "nightly-17"
        made = json.load(response)
    ended = studio.wait_for_end(made["id"])
    assert ended["counts"] == {"Completed": 2}
    return ended


def bash(studio: LiveStudio, command: str) -> str:
    settings = {"STUDIO_URL": studio.url, "STUDIO_METRICS_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env=studio.environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scrape_counts_what_every_process_did(studio: LiveStudio, sweep: dict[str, Any]) -> None:
    text = bash(studio, commands("scrape"))

    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["studio_runs", "Completed", "finished"] == 2
    assert found["studio_run_transitions_total", "Completed", "finished"] == 2
    assert found["studio_run_transitions_total", "", "Running"] == 2
    assert found["studio_sweep_transitions_total", "Completed", "max_runs"] == 1
    assert found["studio_reports_stored_total",] == 4
    assert found["studio_report_delay_seconds_bucket", "+Inf"] == 4
    assert found["studio_http_requests_total", "200", "POST", "mlflow:runs/log-metric"] == 2
    assert found["studio_slots", "local"] == found["studio_machines", "local"] == 1
    assert found["studio_slots_busy", "local"] == found["studio_queued_runs", "local"] == 0
    assert found["studio_watchdog_last_tick_timestamp_seconds",] > 0
    assert found["studio_queue_jobs", "compute:local"] == 0


def test_request_is_followed_through_all_processes(
    studio: LiveStudio, sweep: dict[str, Any]
) -> None:
    lines = [json.loads(line) for line in bash(studio, commands("follow")).splitlines()]

    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert {line["request_id"] for line in lines} == {"nightly-17"}
    posts = [line for line in lines if line["logger"] == "studio.requests"]
    assert [(line["method"], line["status"]) for line in posts] == [("POST", 201)]
    said = {line["message"].partition(".")[0]: line for line in lines}
    started = said["Sweep: Running"]
    assert (started["sweep_id"], "run_id" in started) == (sweep["id"], False)
    for number in (0, 1):
        ended = said[f"Run {number}: Completed"]
        assert ended["run_id"] == f"{sweep['id']}_{number}"
        assert (ended["compute"], ended["workspace"]) == ("local", "Default")
        assert ended["worker"].startswith("local@")


def test_every_line_is_json_and_none_has_a_token(studio: LiveStudio, sweep: dict[str, Any]) -> None:
    link = studio.sign_in_link()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(f"{link}?token={studio.token}").close()

    texts = {path.name: path.read_text() for path in (studio.home / "logs").glob("*.log")}

    for name in ("web-1.log", "web-2.log", "watchdog.log", "worker-1.log"):
        assert all("message" in json.loads(line) for line in texts[name].splitlines()), name
    whole = "".join(texts.values())
    assert "/sign-in/[hidden]/" in whole
    assert studio.token not in whole
    assert link.rstrip("/").rpartition("/")[2] not in whole
    web = texts["web-1.log"] + texts["web-2.log"]
    mlflow = [json.loads(line) for line in web.splitlines() if "log-metric" in line]
    assert {line["run_id"] for line in mlflow} == {f"{sweep['id']}_{n}" for n in (0, 1)}


def test_head_and_body_of_an_answer_come_together(studio: LiveStudio) -> None:
    with socket.create_connection(("127.0.0.1", studio.port)) as peer:
        for _ in range(5):
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert peer.recv(1 << 16).endswith(b"}")


def test_configuration_of_the_page_is_whole() -> None:
    scrape = yaml.safe_load(commands("prometheus"))["scrape_configs"]
    rules = yaml.safe_load(commands("alerts"))["groups"][0]["rules"]

    assert scrape[0]["metrics_path"] == "/metrics"
    assert all({"alert", "expr", "annotations"} <= set(rule) for rule in rules)
    assert len({rule["alert"] for rule in rules}) == len(rules)
