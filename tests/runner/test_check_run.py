"""The check before a launch with real processes: each way that a script can end it."""

from __future__ import annotations

import time

import psutil
import pytest

from experiments.models import Run
from experiments.services.check_run import cancel_check
from experiments.services.recovery import lose_run
from tests.factories import make_user
from tests.runner.attempts import HEAD, run_to_end, wait_for
from tests.runner.checks import execute_check, run_of, shown, start, view

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]

GOOD = HEAD + "for step in range(4):\n    run.log('accuracy', 0.5 + step / 10)\n"
PARSER = (
    "import argparse\nparser = argparse.ArgumentParser()\n"
    "parser.add_argument('--rate', type=float)\nparser.parse_args()\n"
)


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"


def check(tmp_path, code, **options):
    sweep = start(tmp_path, code, **options)
    run_to_end(run_of(sweep))
    return view(sweep)


def test_good_script_passes_and_its_time_is_measured(tmp_path):
    found = check(tmp_path, GOOD)

    lines = shown(found)
    assert found.verdict.outcome == "passed"
    assert list(lines) == [
        "start", "arguments", "metric", "reports", "end", "estimate"
    ]  # fmt: skip
    assert lines["metric"] == (
        "ok",
        '"accuracy" was logged under exactly this name; its last value is 0.8.',
    )
    assert lines["reports"][1].startswith("4 reports, the first after ")
    assert lines["end"][1].startswith("It ended with exit code 0 after ")
    assert "for 20 runs, 4 at a time" in lines["estimate"][1]
    assert "measured on a full run" in lines["estimate"][1]
    assert found.params == {"rate": 0.25, "optimizer": "adam w"}


def test_other_names_that_were_logged_are_offered(tmp_path):
    found = check(tmp_path, HEAD + "run.log('loss', 1)\nrun.log('val_accuracy', 0.5)\n")

    assert found.verdict.outcome == "failed"
    assert found.verdict.offered == ["val_accuracy", "loss"]
    mark, text = shown(found)["metric"]
    assert mark == "bad"
    assert text.startswith('"accuracy" was never logged. The script logged "val_accuracy", "loss"')


def test_traceback_is_the_reason(tmp_path):
    found = check(tmp_path, GOOD + "raise ValueError('the data is odd')\n")

    assert found.verdict.outcome == "failed"
    assert shown(found)["end"] == ("bad", "Exit code 1: ValueError: the data is odd")
    assert shown(found)["metric"][0] == "ok"
    assert list(found.facts.log_lines)[-1] == "ValueError: the data is odd"
    assert found.verdict.pace is None


def test_argument_that_the_script_does_not_know(tmp_path):
    found = check(tmp_path, PARSER + GOOD)

    mark, text = shown(found)["arguments"]
    assert (found.verdict.outcome, mark) == ("failed", "bad")
    assert text.endswith("error: unrecognized arguments: --optimizer adam w")


def test_script_that_never_logs_is_told_how_to(tmp_path):
    found = check(tmp_path, "print('done')\n")

    assert found.verdict.outcome == "failed"
    assert 'Call run.log("accuracy", value)' in shown(found)["metric"][1]


def test_endless_script_that_logs_passes_and_its_processes_end(tmp_path):
    code = HEAD + (
        "import subprocess, sys, time, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'],\n"
        "                         start_new_session=True)\n"
        "pathlib.Path('outputs').mkdir(exist_ok=True)\n"
        "pathlib.Path('outputs/pid').write_text(str(child.pid))\n"
        "for step in range(10**6):\n"
        "    run.log('accuracy', step, step=step)\n"
        "    time.sleep(0.1)\n"
    )

    found = check(tmp_path, code, seconds=2)

    lines = shown(found)
    assert found.verdict.outcome == "passed"
    assert lines["end"][0] == "ok"
    assert lines["end"][1].endswith(": fine.")
    assert lines["estimate"][0] == "warn"
    assert lines["estimate"][1].startswith("More than ")
    pid = int((tmp_path / "storage/runs" / found.sweep.public_id / "0/outputs/pid").read_text())
    # One that nobody has asked about is a zombie, and as good as gone.
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_silent_script_at_the_limit_does_not_pass(tmp_path):
    found = check(tmp_path, "import time\ntime.sleep(99)\n", seconds=1)

    assert found.verdict.outcome == "failed"
    assert "No metric was logged within" in shown(found)["metric"][1]
    assert shown(found)["end"][0] == "warn"


def test_command_that_does_not_exist(tmp_path):
    command = "no-such-program ${{search_space.rate}} ${{search_space.optimizer}}"

    found = check(tmp_path, GOOD, script=None, command=command)

    assert found.verdict.outcome == "failed"
    assert shown(found)["start"][0] == "bad"
    assert "no-such-program" in shown(found)["start"][1]


def test_canceled_check_stops_its_script(tmp_path):
    sweep = start(tmp_path, HEAD + "run.log('loss', 1)\nimport time\ntime.sleep(99)\n")
    thread = execute_check(sweep)
    wait_for(run_of(sweep), "Running")
    deadline = time.monotonic() + 20
    while not view(sweep).facts.metrics:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert view(sweep).verdict.outcome == "running"
    assert view(sweep).verdict.offered == ["loss"]
    assert cancel_check(sweep, user=make_user())
    thread.join(20)

    found = view(sweep)
    assert found.verdict.outcome == "canceled"
    assert shown(found)["end"] == ("warn", "Canceled by alice.")
    assert not cancel_check(sweep, user=make_user())


def test_length_is_extrapolated_to_the_epochs_that_were_asked_for(tmp_path):
    code = HEAD + (
        "import time\nfor step in range(10**6):\n"
        "    run.log('accuracy', step)\n    time.sleep(0.05)\n"
    )

    found = check(tmp_path, code, seconds=1.5, arguments=["--epochs", "4000"])

    assert found.verdict.pace is not None
    assert "extrapolated to --epochs 4000" in shown(found)["estimate"][1]
    assert found.verdict.pace.per_run > 100


def test_worker_that_dies_is_not_replaced(tmp_path):
    sweep = start(tmp_path, GOOD)
    run = run_of(sweep)
    Run.objects.filter(pk=run.pk).update(state="Running", fence=1, started_at=run.created_at)

    assert lose_run(run.pk, reason="Its worker died.", fence=1) is None

    found = view(sweep)
    assert found.verdict.outcome == "failed"
    assert shown(found)["end"] == ("bad", "Its worker died. Check again.")
    assert Run.objects.filter(sweep=sweep).count() == 1
