"""Scripts that know MLflow alone, in real sweeps; the unmodified client reads what they logged."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.servers import LiveStudio, clean_environment

pytestmark = pytest.mark.slow

# Every answer to every fourth report is lost once: the client sends the report again.
SCRIPT = """
import argparse, http.server, os, threading, time, urllib.request
import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--quality", type=float)
quality = parser.parse_args().quality
studio = os.environ["MLFLOW_TRACKING_URI"]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
seen = set()

class Lossy(http.server.BaseHTTPRequestHandler):
    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k != "Host"}
        request = urllib.request.Request(studio + self.path, body or None, headers)
        request.method = self.command
        try:
            with opener.open(request) as response:
                status, answer = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, answer = error.code, error.read()
        if self.path.endswith("log-metric") and body not in seen and len(seen) % 4 == 0:
            seen.add(body)
            self.close_connection = True
            return
        seen.add(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    do_GET = do_POST = do_PUT = do_PATCH = do
    def log_message(self, *words):
        pass

proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lossy)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
mlflow.set_tracking_uri("http://127.0.0.1:%d" % proxy.server_port)
mlflow.set_experiment("anything")
with mlflow.start_run(tags={"team": "red"}) as run:
    assert run.info.run_id == os.environ["STUDIO_RUN_ID"]
    mlflow.log_params({"quality": quality, "depth": 3})
    for step in range(12 if quality > 0.5 else 900):
        mlflow.log_metric("score", quality * (1 - 0.5 ** (step + 1)), step=step)
        time.sleep(0 if quality > 0.5 else 0.1)
    mlflow.log_metrics({"later": 1.0, "lost": float("nan")}, step=7, synchronous=False).wait()
    mlflow.log_dict({"quality": quality}, "notes/quality.json")
    with mlflow.start_run(nested=True, run_name="fold"):
        mlflow.log_metric("score", 5.0)
"""

# What people write in scikit-learn, and metrics that nobody waits for.
AUTOLOG = """
import argparse, mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

parser = argparse.ArgumentParser()
parser.add_argument("--C", type=float)
mlflow.config.enable_async_logging()
mlflow.sklearn.autolog()
X, y = load_iris(return_X_y=True)
LogisticRegression(C=parser.parse_args().C, max_iter=500).fit(X, y)
with mlflow.start_run():
    for step in range(300):
        mlflow.log_metric("late", step / 2, step=step)
    mlflow.log_param("async", True)
mlflow.flush_async_logging()
"""

READER = """
import json, os, sys
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

client = MlflowClient()
run_id = sys.argv[1]
experiment = client.get_experiment_by_name("over-mlflow").experiment_id
run = client.get_run(run_id)
found = client.search_runs([experiment], "metrics.score > 0.9 and tags.team = 'red'")
history = client.get_metric_history(run_id, "score")
path = client.download_artifacts(run_id, "notes/quality.json", sys.argv[2])
try:
    client.log_metric(run_id, "score", 1.0)
    refused = ""
except MlflowException as error:
    refused = error.error_code
print(json.dumps({
    "experiments": [found.name for found in client.search_experiments()],
    "status": run.info.status, "params": run.data.params, "metrics": sorted(run.data.metrics),
    "found": [found_run.info.run_id for found_run in found],
    "history": [[m.step, m.value] for m in history],
    "files": [file.path for file in client.list_artifacts(run_id, "notes")],
    "notes": json.load(open(path)), "refused": refused,
}))
"""


@pytest.fixture(scope="module")
def ended(live_studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("source")
    (folder / "train.py").write_text(SCRIPT)
    spec = {
        "name": "over mlflow",
        "experiment": "over-mlflow",
        "source_directory": str(folder),
        "script": "train.py",
        "environment": {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0"},
        "search_space": {"quality": "choice(1.0, 0.25)"},
        "sampling": "grid",
        "primary_metric": {"name": "score", "goal": "maximize"},
        "early_termination": {
            "type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1, "delay_evaluation": 3,
        },
        "max_total_runs": 2,
        "max_concurrent_runs": 1,
    }  # fmt: skip
    sweep = live_studio.wait_for_end(live_studio.api("/sweeps", spec)["id"], seconds=240)
    runs = live_studio.api(f"/sweeps/{sweep['id']}/runs")["items"]
    return {"sweep": sweep, "runs": {r["hyperparameters"]["quality"]: r for r in runs}}


def read(studio: LiveStudio, run_id: str, target: Path, token: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", READER, run_id, str(target)],
        env=clean_environment(
            MLFLOW_TRACKING_URI=studio.url, MLFLOW_TRACKING_TOKEN=token, NO_PROXY="127.0.0.1"
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_reports_count_once_and_a_policy_judges_them(
    live_studio: LiveStudio, ended: dict[str, Any]
) -> None:
    good, bad = ended["runs"][1.0], ended["runs"][0.25]
    log = live_studio.api(f"/runs/{good['id']}/logs")["text"]

    assert (good["status"], good["reports"]) == ("Completed", 12), log
    assert (bad["status"], bad["end_reason"]) == ("Canceled", "policy"), bad["reason"]
    assert bad["reason"].startswith("bandit policy at interval ")
    series = {
        s["name"]: (s["values"], s["steps"])
        for s in live_studio.api(f"/runs/{good['id']}/metrics")["items"]
    }
    assert series["score"][0] == [1 - 0.5 ** (step + 1) for step in range(12)]
    assert series["score"][1] == [float(step) for step in range(12)]
    assert series["later"] == ([1.0], [7.0])
    assert series["lost"][0] == ["NaN"]
    assert series["fold/score"][0] == [5.0]
    files = [file["path"] for file in live_studio.api(f"/runs/{good['id']}/files")["items"]]
    assert "notes/quality.json" in files
    assert good["tags"]["team"] == "red"
    assert good["properties"] == {"depth": "3"}


def test_client_reads_runs(live_studio: LiveStudio, ended: dict[str, Any], tmp_path: Path) -> None:
    run_id = ended["runs"][1.0]["id"]

    found = read(live_studio, run_id, tmp_path, live_studio.token)

    assert "over-mlflow" in found.pop("experiments")
    assert found == {
        "status": "FINISHED",
        "params": {"quality": "1.0", "depth": "3"},
        "metrics": ["fold/score", "later", "lost", "score"],
        "found": [run_id],
        "history": [[step, 1 - 0.5 ** (step + 1)] for step in range(12)],
        "files": ["notes/quality.json"],
        "notes": {"quality": 1.0},
        "refused": "INVALID_STATE",
    }


def test_autolog_and_asynchronous_logging_arrive_whole(
    live_studio: LiveStudio, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(AUTOLOG)
    spec = {
        "name": "autolog", "experiment": "autolog", "source_directory": str(tmp_path),
        "script": "train.py", "search_space": {"C": "choice(0.5)"}, "sampling": "grid",
        "primary_metric": {"name": "training_accuracy_score", "goal": "maximize"},
        "max_total_runs": 1,
    }  # fmt: skip
    sweep = live_studio.wait_for_end(live_studio.api("/sweeps", spec)["id"], seconds=240)
    run = live_studio.api(f"/sweeps/{sweep['id']}/runs")["items"][0]

    log = live_studio.api(f"/runs/{run['id']}/logs")["text"]
    assert (run["status"], run["reports"]) == ("Completed", 1), log
    metrics = live_studio.api(f"/runs/{run['id']}/metrics")["items"]
    series = {one["name"]: one["values"] for one in metrics}
    # Whatever the order in which they came.
    assert sorted(series["late"]) == [step / 2 for step in range(300)]
    assert 0.9 < series["training_accuracy_score"][0] <= 1
    assert "training_f1_score" in series
    assert {"async", "solver", "max_iter"} <= run["properties"].keys()
    files = [file["path"] for file in live_studio.api(f"/runs/{run['id']}/files")["items"]]
    assert any(path.endswith("/MLmodel") for path in files)


def test_wrong_token_is_told_so(live_studio: LiveStudio, ended: dict[str, Any]) -> None:
    address = f"{live_studio.url}/api/2.0/mlflow/runs/get?run_id={ended['runs'][1.0]['id']}"
    request = urllib.request.Request(address, headers={"Authorization": "Bearer wrong"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(request)

    with caught.value as error:
        assert error.code == 401
        assert json.load(error)["error_code"] == "UNAUTHENTICATED"
