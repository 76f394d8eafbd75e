"""Faults that are not the script's: nothing is lost, nothing is blamed on it, nothing runs on."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from django.db import OperationalError, connection

from experiments.models import Artifact, Run
from experiments.queries import series_of
from experiments.services.recovery import lose_run
from experiments.services.runs import cancel_run
from experiments.services.snapshots import path_of_digest
from runner import executor
from runner.environment import run_environment
from runner.storage import SharedStorage
from tests.factories import make_user
from tests.runner.attempts import HEAD, in_background, log_of, queue, run_to_end, wait_for
from tests.runner.processes import processes_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]

SLEEPER = HEAD + (
    "import pathlib, time\nrun.log('accuracy', 1)\n"
    "pathlib.Path('outputs/model.txt').write_text('weights')\nprint('ready', flush=True)\n"
    "time.sleep(300)"
)


def ended(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def wait_for_log(run: Run, text: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while text not in log_of(ended(run)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_killed_guard_is_no_fault_of_the_script(tmp_path, settings):
    settings.STUDIO_MAX_RETRIES = 1
    run = queue(tmp_path, SLEEPER)
    thread = in_background(run)
    wait_for(run, "Running")
    wait_for_log(run, "ready")

    os.kill(ended(run).guard_pid, signal.SIGKILL)
    thread.join(30)

    lost = ended(run)
    assert (lost.state, lost.end_reason) == ("Failed", "worker_lost")
    assert lost.reason == "The guard of its process was killed."
    assert (lost.reports, lost.best_value) == (1, 1.0)
    assert Run.objects.get(retry_of=run).state == "Queued"
    assert processes_of(run) == []
    assert Artifact.objects.filter(run=run, path="outputs/model.txt").exists()


def test_run_that_is_canceled_while_it_starts_is_canceled(tmp_path):
    # Its interpreter thinks for a moment when it is asked what it has installed.
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && sleep 2\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    run = queue(tmp_path, SLEEPER, python=str(python))
    thread = in_background(run)
    wait_for(run, "Starting")

    assert cancel_run(ended(run), user=make_user())
    thread.join(30)

    run = ended(run)
    assert (run.state, run.end_reason, run.reason) == ("Canceled", "user", "Canceled by alice.")
    assert Path(run.directory).is_dir()
    assert processes_of(run) == []


def test_reports_of_a_run_that_was_given_up_are_kept_to_the_last(tmp_path):
    script = HEAD + (
        "import signal, sys, time\n"
        "def save(*_):\n    for i in range(20): run.log('accuracy', i); time.sleep(0.01)\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\nrun.log('accuracy', 1)\n"
        "print('ready', flush=True)\ntime.sleep(300)"
    )
    run = queue(tmp_path, script)
    thread = in_background(run)
    wait_for(run, "Running")
    wait_for_log(run, "ready")

    lose_run(run.pk, reason="Its worker gave no sign.")
    thread.join(30)

    lost = ended(run)
    assert (lost.state, lost.reason) == ("Failed", "Its worker gave no sign.")
    lines = (Path(lost.directory) / "metrics.jsonl").read_bytes().count(b"\n")
    assert (lines, lost.reports) == (21, 21)
    assert processes_of(run) == []


def test_database_that_is_away_at_the_start_is_no_fault_of_the_script(tmp_path, settings):
    settings.STUDIO_MAX_RETRIES = 1
    run = queue(tmp_path, SLEEPER)
    outage = Outage('"fence", "experiments_run"."lease_expires_at"', 1)

    with connection.execute_wrapper(outage), pytest.MonkeyPatch.context() as patch:
        # The first look at the lease while the code is fetched.
        patch.setattr(SharedStorage, "snapshot", fetch_slowly)
        run = run_to_end(run)

    assert outage.times == 0
    assert (run.state, run.end_reason) == ("Failed", "worker_lost")
    assert Run.objects.get(retry_of=run).state == "Queued"


def fetch_slowly(self: SharedStorage, digest: str, tick: Callable[[], None]) -> Path:
    """Fetch as a worker on another machine does: it gives a sign of life in between."""
    tick()
    return path_of_digest(digest)


def test_outputs_of_a_run_that_is_handed_over_are_kept(tmp_path):
    run = queue(tmp_path, SLEEPER)
    thread = in_background(run)
    wait_for(run, "Running")
    wait_for_log(run, "ready")

    executor.stop_all()
    thread.join(30)

    assert ended(run).end_reason == "worker_lost"
    assert (Path(ended(run).directory) / "outputs/model.txt").read_text() == "weights"
    assert Artifact.objects.filter(run=run, path="outputs/model.txt").exists()
    assert not (Path(ended(run).directory) / "code").exists()


def test_script_that_saves_and_exits_0_when_the_worker_stops_is_not_complete(tmp_path):
    script = HEAD + (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "run.log('accuracy', 1)\nprint('ready', flush=True)\ntime.sleep(300)"
    )
    run = queue(tmp_path, script)
    thread = in_background(run)
    wait_for(run, "Running")
    wait_for_log(run, "ready")

    executor.stop_all()
    thread.join(30)

    assert (ended(run).state, ended(run).end_reason) == ("Failed", "worker_lost")


class Outage:
    """A database that fails the first statements with a text in them."""

    def __init__(self, text: str, times: int) -> None:
        self.text = text
        self.times = times

    def __call__(self, execute, sql, params, many, context):
        if self.times > 0 and self.text in f"{sql} {params}":
            self.times -= 1
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("'Running'", 1),
        ('INSERT INTO "experiments_metricchunk"', 2),
        ('"fence", "experiments_run"."lease_expires_at"', 2),
        ("'Finalizing'", 1),
        ('INSERT INTO "experiments_artifact"', 1),
        ("'Completed'", 1),
    ],
    ids=["start", "reports", "lease", "finalizing", "files", "end"],
)
def test_outage_of_the_database_loses_nothing(tmp_path, text, times):
    script = HEAD + (
        "import time\nfor i in range(30): run.log('accuracy', i); time.sleep(0.02)\n"
        "open('outputs/x', 'w').write('1234567')\n"
    )
    run = queue(tmp_path, script)
    outage = Outage(text, times)

    with connection.execute_wrapper(outage):
        run = run_to_end(run)

    assert outage.times == 0
    assert (run.state, run.reports, run.output_bytes) == ("Completed", 30, 7)
    assert list(series_of(run, "accuracy").values) == list(range(30))
    assert Artifact.objects.get(run=run, path="outputs/x").size_bytes == 7


def test_time_limit_holds_while_the_database_is_away(tmp_path):
    run = queue(tmp_path, SLEEPER, run_timeout_minutes=0.02)
    outage = Outage("'run_timeout'", 1)

    with connection.execute_wrapper(outage):
        run = run_to_end(run)

    assert outage.times == 0
    assert (run.state, run.end_reason) == ("Canceled", "run_timeout")


def test_lease_is_renewed_while_large_outputs_are_read(tmp_path, settings):
    settings.STUDIO_CANCEL_POLL_SECONDS = 0.02
    script = HEAD + "run.log('accuracy', 1)\nopen('outputs/x', 'wb').truncate(300_000_000)"
    run = queue(tmp_path, script)
    statements = []

    def note(execute, sql, params, many, context):
        statements.append(f"{sql} {params}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        run = run_to_end(run)

    begin = next(i for i, text in enumerate(statements) if "'Finalizing'" in text)
    end = next(i for i, text in enumerate(statements) if i > begin and "'Completed'" in text)
    looks = [t for t in statements[begin:end] if '"fence", "experiments_run"."lease_expires' in t]
    assert run.output_bytes == 300_000_000
    assert len(looks) >= 3


def test_names_of_outputs_may_be_any_bytes(tmp_path):
    script = HEAD + (
        "import os\nrun.log('accuracy', 1)\n"
        "names = (b'\\xff\\xfe.bin', 'gr\\u00fc\\u00df \\u00a0.txt'.encode(), b'two\\nlines')\n"
        "for name in (*names, b'x' * 255):\n"
        "    open(b'outputs/' + name, 'wb').write(b'12')\n"
        "deep = 'outputs/' + '/'.join(['d' * 200] * 8)\nos.makedirs(deep)\n"
        "open(deep + '/far', 'w').write('1')\n"
        "os.mkfifo('outputs/pipe'); os.symlink('/etc/passwd', 'outputs/leak')\n"
    )

    run = run_to_end(queue(tmp_path, script))

    assert run.state == "Completed"
    paths = set(
        Artifact.objects.filter(run=run, path__startswith="outputs").values_list("path", flat=True)
    )
    assert paths == {
        "outputs/\ufffd\ufffd.bin",
        "outputs/grüß \u00a0.txt",
        "outputs/two\ufffdlines",
        "outputs/" + "x" * 255,
    }
    assert all((Path(run.directory) / path).read_bytes() == b"12" for path in paths)


def test_processes_of_a_script_that_ended_do_not_stay(tmp_path):
    script = HEAD + (
        "import os, time\nrun.log('accuracy', 1)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0: time.sleep(300)\n"
        "    os._exit(0)\n"
    )

    run = run_to_end(queue(tmp_path, script))

    assert run.state == "Completed"
    assert processes_of(run) == []


def test_script_that_closes_its_output_is_no_failure(tmp_path):
    script = (
        HEAD + "import os\nrun.log('accuracy', 1)\nos.close(1); os.close(2)\nrun.log('accuracy', 2)"
    )

    run = run_to_end(queue(tmp_path, script))

    assert (run.state, run.best_value) == ("Completed", 2.0)


def test_nothing_of_the_studio_is_on_the_path_of_the_script(tmp_path, monkeypatch):
    root = Path(executor.__file__).resolve().parent.parent
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("PYTHONPATH", f"{root}{os.pathsep}{mine}")
    script = HEAD + (
        "import json, os, studio.sdk\nrun.log('accuracy', 1)\n"
        "print(json.dumps([os.environ['PYTHONPATH'].split(os.pathsep), studio.sdk.__file__]))"
    )

    run = run_to_end(queue(tmp_path, script))

    paths, client = json.loads(log_of(run))
    assert paths[0] == str(mine)
    assert str(root) not in paths
    assert client.startswith(paths[1])


def test_other_interpreter_is_asked_once_about_azureml(tmp_path):
    asked = tmp_path / "asked"
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho asked >> {asked}\nexit 1\n")
    python.chmod(0o755)

    def paths() -> list[str]:
        env = run_environment(
            run_id="r",
            token="t",
            studio_url="",
            journal=tmp_path / "j",
            client=tmp_path / "client" / "abc",
            python=str(python),
            extra={},
        )
        return env["PYTHONPATH"].split(os.pathsep)

    first, second = paths(), paths()

    assert asked.read_text() == "asked\n"
    assert first == second
    assert first[-1] == str(tmp_path / "client" / "abc" / "compat")


def test_interpreter_with_the_real_azureml_keeps_it(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 0\n")
    python.chmod(0o755)

    env = run_environment(
        run_id="r",
        token="t",
        studio_url="",
        journal=tmp_path / "j",
        client=tmp_path / "client" / "abc",
        python=str(python),
        extra={},
    )

    assert "compat" not in env["PYTHONPATH"]


def test_test_processes_are_gone():
    assert [p for p in psutil.Process().children() if "guard.py" in " ".join(p.cmdline())] == []


@pytest.mark.parametrize(
    ("url", "extra", "expected"),
    [
        ("http://s:1", {}, ["http://s:1", "t", "r", "7"]),
        ("", {}, [None, None, None, None]),
        # Whoever logs to a server of their own goes on doing so.
        ("http://s:1", {"MLFLOW_TRACKING_URI": "http://m:5"}, ["http://m:5", None, None, None]),
    ],
)
def test_mlflow_finds_its_run(tmp_path, monkeypatch, url, extra, expected):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "of somebody else")
    names = ("TRACKING_URI", "TRACKING_TOKEN", "RUN_ID", "EXPERIMENT_ID")

    env = run_environment(
        run_id="r",
        token="t",
        studio_url=url,
        journal=tmp_path / "j",
        client=tmp_path / "client" / "abc",
        python=sys.executable,
        extra=extra,
        mlflow_experiment="7",
    )

    assert [env.get(f"MLFLOW_{name}") for name in names] == expected
    assert ("MLFLOW_TRACKING_PASSWORD" in env) == (expected[1] is None)
