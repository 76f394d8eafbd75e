"""Workers on other machines: network namespaces that share no folder with the studio."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.snapshot_rules import list_files, write_zip
from studio import embedded
from tests.hosts import Host, Network
from tests.servers import LiveStudio, Postgres, clean_environment, free_port

pytestmark = pytest.mark.slow
SCRIPT = """\
import argparse, pathlib, socket, time
from studio.sdk import Run
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--seconds", type=float, default=1)
args = parser.parse_args()
run = Run.get_context()
print("hello from", socket.gethostname(), flush=True)
pathlib.Path("outputs/models").mkdir()
pathlib.Path("outputs/models/weights.bin").write_bytes(bytes(range(256)) * 80000)
pathlib.Path("outputs/checkpoint.txt").write_text("early")
end = time.monotonic() + args.seconds
n = 0
while time.monotonic() < end:
    n += 1
    run.log("accuracy", n)
    time.sleep(0.1)
run.log("accuracy", 1000 + args.rate)
pathlib.Path("outputs/checkpoint.txt").write_text(f"after {n} reports")
"""

HOLD_LOCK = """\
import sys, time, django
django.setup()
from django.db import transaction
from experiments.models import Run
with transaction.atomic():
    Run.objects.select_for_update().get(public_id=sys.argv[1])
    print("locked", flush=True)
    time.sleep(600)
"""


class Team:
    """A studio for several machines: PostgreSQL and Redis over TCP, no worker of its own."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.folder = folder
        self.network = network
        self.postgres = Postgres(address=network.address)
        self.redis_port = free_port()
        self.redis: subprocess.Popen[bytes] | None = None
        self.home = folder / "studio"
        self.home.mkdir()

    def start(self) -> None:
        self.postgres.start()
        address = self.network.address
        options = ["--protected-mode", "no", "--save", ""]
        self.redis = subprocess.Popen(
            [embedded.find_server(), "--port", str(self.redis_port), "--bind", address, *options],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        self.addresses = {
            "REDIS_URL": f"redis://{address}:{self.redis_port}/0",
            "DATABASE_URL": self.postgres.url,
        }
        problem = embedded.wait_for_redis(self.addresses["REDIS_URL"], seconds=10)
        assert not problem, problem
        self.studio = LiveStudio(
            self.home,
            host=address,
            workers=0,
            STUDIO_ALLOWED_HOSTS=f"{address},127.0.0.1",
            **self.addresses,
        )
        self.studio.start()
        make = "from experiments.models import ComputeTarget as C; C.objects.create(name='team')"
        self.studio.run_python(f"import django; django.setup(); {make}")
        words = [sys.executable, "-m", "studio.cli", "token", "create", "hosts", "--compute"]
        made = subprocess.run(
            [*words, "team"],
            env=self.studio.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        self.token = made.stdout.strip()

    def attach(self, host: Host, slots: int = 1) -> Path:
        """Attach a machine with a data folder of its own; return that folder."""
        home = self.folder / host.namespace
        home.mkdir(exist_ok=True)
        env = clean_environment(
            STUDIO_HOME=str(home),
            STUDIO_URL=self.studio.url,
            STUDIO_COMPUTE_TOKEN=self.token,
            **self.addresses,
        )
        words = [sys.executable, "-m", "studio.cli", "worker", "--compute", "team"]
        words += ["--slots", str(slots)]
        host.start_process(words, env, self.folder / f"{host.namespace}.txt", hidden=[self.home])
        return home

    def hold_lock(self, host: Host, run: str) -> None:
        """Let a process there be in the middle of a transaction that changes a run."""
        output = self.folder / "lock.txt"
        env = clean_environment(
            DJANGO_SETTINGS_MODULE="studio.settings",
            STUDIO_HOME=str(self.folder / host.namespace),
            **self.addresses,
        )
        host.start_process([sys.executable, "-c", HOLD_LOCK, run], env, output, hidden=[self.home])
        self.wait(lambda: output.exists() and "locked" in output.read_text())

    def workers(self) -> list[dict[str, Any]]:
        targets = self.studio.api("/compute")["items"]
        return next(t["workers"] for t in targets if t["name"] == "team")

    def wait(self, what: Any, seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := what()):
            logs = [path.read_text()[-3000:] for path in self.folder.glob("*.txt")]
            assert time.monotonic() < deadline, logs
            time.sleep(0.2)
        return found

    def submit(self, *, runs: int, seconds: float, concurrent: int = 1) -> str:
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        (source / "train.py").write_text(SCRIPT)
        archive = self.folder / "source.zip"
        with archive.open("w+b") as file:
            write_zip(list_files(source), file)
            file.seek(0)
            digest = self.studio.upload("/snapshots", file.read(), "application/zip")["id"]
        spec = {
            "name": "elsewhere",
            "experiment": "hosts",
            "snapshot": digest,
            "script": "train.py",
            "arguments": ["--seconds", str(seconds)],
            "compute": "team",
            "search_space": {"rate": f"choice({', '.join(f'0.{n}' for n in range(1, runs + 1))})"},
            "sampling": "grid",
            "primary_metric": {"name": "accuracy", "goal": "maximize"},
            "max_total_runs": runs,
            "max_concurrent_runs": concurrent,
        }
        return str(self.studio.api("/sweeps", spec)["id"])

    def runs(self, sweep: str) -> list[dict[str, Any]]:
        return list(self.studio.api(f"/sweeps/{sweep}/runs")["items"])

    def stop(self) -> None:
        self.studio.stop()
        if self.redis is not None:
            self.redis.terminate()
            self.redis.wait(10)
        self.postgres.stop()


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    network = Network()
    network.start()
    team = Team(tmp_path_factory.mktemp("team"), network)
    try:
        team.start()
        yield team
    finally:
        team.stop()
        network.stop()


@pytest.fixture
def network(team: Team) -> Iterator[Network]:
    """The network, whose hosts go when the test ends."""
    yield team.network
    while team.network.hosts:
        team.network.hosts.pop().stop()
    team.wait(lambda: not [w for w in team.workers() if w["alive"]])


def journals(folder: Path) -> list[Path]:
    return list(folder.glob("storage/runs/*/*/metrics.jsonl"))


def test_runs_on_two_machines_leave_everything_in_the_studio(team: Team, network: Network) -> None:
    homes = [team.attach(network.add_host(name)) for name in ("north", "south")]
    team.wait(lambda: len(team.workers()) == 2)

    sweep = team.submit(runs=4, seconds=1.5, concurrent=2)
    ended = team.studio.wait_for_end(sweep)

    assert ended["status"] == "Completed"
    runs = team.runs(sweep)
    assert {worker["host"] for worker in team.workers()} == {"north", "south"}
    assert len({run["worker"].partition("@")[2].partition("-")[0] for run in runs}) == 2
    weights = bytes(range(256)) * 80000
    for run in runs:
        files = {f["path"]: f["size"] for f in team.studio.api(f"/runs/{run['id']}/files")["items"]}
        assert set(files) == {
            "logs/std_log.txt",
            "outputs/checkpoint.txt",
            "outputs/models/weights.bin",
        }
        assert (
            team.studio.download(f"/runs/{run['id']}/files/outputs/models/weights.bin") == weights
        )
        text = team.studio.download(f"/runs/{run['id']}/files/outputs/checkpoint.txt").decode()
        assert text.startswith("after ")
        log = team.studio.api(f"/runs/{run['id']}/logs")["text"]
        assert log.split()[-1] in {"north", "south"}
        assert run["best"]["value"] == pytest.approx(1000 + run["hyperparameters"]["rate"])
    for home in homes:
        assert journals(home) == []
        assert len(list((home / "cache" / "snapshots").glob("*.zip"))) == 1


def test_log_and_reports_over_http_of_a_run_elsewhere_are_live(
    team: Team, network: Network
) -> None:
    team.attach(network.add_host("north"))
    sweep = team.submit(runs=1, seconds=25)
    run = team.wait(lambda: [r for r in team.runs(sweep) if r["status"] == "Running"])[0]["id"]

    team.wait(lambda: "hello from north" in team.studio.api(f"/runs/{run}/logs")["text"])
    team.studio.api(f"/runs/{run}/metrics", [{"name": "posted", "value": 7.5}])
    series = team.wait(
        lambda: team.studio.api(f"/runs/{run}/metrics?name=posted")["items"], seconds=15
    )
    checkpoint = team.wait(
        lambda: [
            f
            for f in team.studio.api(f"/runs/{run}/files")["items"]
            if f["path"] == "outputs/checkpoint.txt"
        ],
        seconds=25,
    )

    assert series[0]["values"] == [7.5]
    assert checkpoint[0]["size"] == len("early")
    assert team.studio.api(f"/runs/{run}/cancel", {})["id"] == run


def test_cut_cable_costs_nothing_when_it_heals_in_time(team: Team, network: Network) -> None:
    north = network.add_host("north")
    home = team.attach(north)
    sweep = team.submit(runs=1, seconds=20)
    team.wait(lambda: any(run["status"] == "Running" for run in team.runs(sweep)))
    team.wait(lambda: journals(home))

    north.unplug()
    time.sleep(8)
    north.plug()
    ended = team.studio.wait_for_end(sweep)

    (run,) = team.runs(sweep)
    assert (ended["status"], run["status"]) == ("Completed", "Completed")
    (series,) = team.studio.api(f"/runs/{run['id']}/metrics?name=accuracy")["items"]
    values = series["values"]
    assert values[:-1] == [float(n) for n in range(1, len(values))]
    assert len(values) > 100


@pytest.mark.long
def test_killed_machine_sends_what_it_has_when_it_is_back(team: Team, network: Network) -> None:
    north, south = network.add_host("north"), network.add_host("south")
    home = team.attach(north)
    sweep = team.submit(runs=1, seconds=12)
    (lost,) = team.wait(lambda: [r for r in team.runs(sweep) if r["status"] == "Running"])
    team.wait(lambda: journals(home) and journals(home)[0].stat().st_size > 500)

    team.hold_lock(north, lost["id"])
    north.unplug()
    for process in north.processes:
        os.killpg(process.pid, 9)
    (journal,) = journals(home)
    time.sleep(1)
    written = journal.read_text().count('"accuracy"')
    team.attach(south)
    ended = team.studio.wait_for_end(sweep, seconds=180)
    north.plug()
    team.attach(north)
    team.wait(lambda: not journals(home), seconds=60)

    assert ended["status"] == "Completed"
    runs = {run["number"]: run for run in team.runs(sweep)}
    assert runs[0]["end_reason"] == "worker_lost"
    assert runs[1]["retry_of"] == lost["id"]
    (series,) = team.studio.api(f"/runs/{lost['id']}/metrics?name=accuracy")["items"]
    assert len(series["values"]) == written
    assert "hello from north" in team.studio.api(f"/runs/{lost['id']}/logs")["text"]


RESUMING = """\
import argparse, pathlib
from studio.sdk import Run
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--resume-from", type=pathlib.Path)
args = parser.parse_args()
weights = (args.resume_from / "models/weights.bin").read_bytes()
pathlib.Path("outputs/text.txt").write_text((args.resume_from / "checkpoint.txt").read_text())
Run.get_context().log("accuracy", len(weights))
"""


def test_resumed_run_elsewhere_fetches_the_old_outputs(team: Team, network: Network) -> None:
    home = team.attach(network.add_host("north"))
    first = team.studio.wait_for_end(team.submit(runs=1, seconds=0.5))
    source = team.folder / "resuming"
    source.mkdir()
    (source / "train.py").write_text(RESUMING)
    archive = team.folder / "resuming.zip"
    with archive.open("w+b") as file:
        write_zip(list_files(source), file)
    digest = team.studio.upload("/snapshots", archive.read_bytes(), "application/zip")["id"]
    spec = team.studio.api(f"/sweeps/{first['id']}/spec")
    changes = {"snapshot": digest, "arguments": [], "resume_child_runs": [f"{first['id']}_0"]}

    ended = team.studio.wait_for_end(team.studio.api("/sweeps", {**spec, **changes})["id"])

    assert (ended["status"], ended["best_run"]["value"]) == ("Completed", 256 * 80000)
    run = ended["best_run"]["id"]
    text = team.studio.download(f"/runs/{run}/files/outputs/text.txt").decode()
    assert text.startswith("after ")
    assert list(home.glob("storage/runs/*/*/resume-from")) == []
