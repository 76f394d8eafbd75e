"""The guard ends everything that a script starts, whatever ends first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.process import kill_marked, spawn_guarded
from tests.runner.guarded import ESCAPISTS, MARK, marked, spawn, wait_until


@pytest.mark.parametrize(
    ("code", "exit_code", "number"),
    [
        ("pass", 0, None),
        ("raise SystemExit(3)", 3, None),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", None, signal.SIGSEGV),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", None, signal.SIGKILL),
    ],
)
def test_guard_tells_how_the_command_ended(tmp_path, code, exit_code, number):
    process = spawn(tmp_path, code)

    assert process.wait(20)
    record = process.exit_record()

    assert (record.code, record.signal) == (exit_code, number)
    assert (record.stopped, record.exec_error) == (False, "")
    process.close()


def test_guard_tells_what_cannot_be_started(tmp_path):
    with (tmp_path / "log").open("ab") as output:
        process = spawn_guarded(
            ['/no/such "python" \\\n', "train.py"],
            cwd=tmp_path,
            env=dict(os.environ),
            output=output,
            exit_path=tmp_path / "exit.json",
            grace=1,
        )

    assert process.wait(20)

    error = process.exit_record().exec_error
    assert error == '/no/such "python" \\\n: No such file or directory'
    process.close()


def test_output_of_the_command_goes_to_the_file(tmp_path):
    process = spawn(tmp_path, "import sys; print('out'); print('err', file=sys.stderr)")

    assert process.wait(20)

    assert sorted((tmp_path / "log").read_text().split()) == ["err", "out"]
    process.close()


def test_stop_gives_the_script_time_to_save(tmp_path):
    code = (
        "import signal, sys, time\n"
        "def save(*_):\n    time.sleep(0.2); open('saved', 'w').close(); sys.exit(7)\n"
        "signal.signal(signal.SIGTERM, save); open('ready', 'w').close(); time.sleep(300)"
    )
    process = spawn(tmp_path, code, grace=10)
    wait_until((tmp_path / "ready").exists)

    process.request_stop()

    assert process.wait(10)
    assert (tmp_path / "saved").exists()
    assert process.exit_record().code == 7
    assert process.exit_record().stopped
    process.close()


def test_script_that_ignores_sigterm_is_killed_after_the_grace_time(tmp_path):
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('ready', 'w').close(); time.sleep(300)"
    )
    process = spawn(tmp_path, code, grace=0.3)
    wait_until((tmp_path / "ready").exists)

    process.request_stop()

    assert process.wait(10)
    assert process.exit_record().signal == signal.SIGKILL
    assert process.exit_record().stopped
    assert marked(tmp_path) == []
    process.close()


@pytest.mark.parametrize("tail", ["time.sleep(300)", "pass"])
def test_no_descendant_outlives_the_command(tmp_path, tail):
    process = spawn(tmp_path, ESCAPISTS + tail)
    wait_until((tmp_path / "ready").exists)
    if tail != "pass":
        assert len(marked(tmp_path)) >= 6
        process.request_stop()

    assert process.wait(20)

    assert marked(tmp_path) == []
    process.close()


def test_death_of_the_executor_ends_everything(tmp_path):
    holder = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests.runner.guarded import ESCAPISTS, spawn
spawn(Path({str(tmp_path)!r}), ESCAPISTS + "time.sleep(300)")
time.sleep(300)
"""
    executor = subprocess.Popen([sys.executable, "-c", holder], env={**os.environ})
    wait_until((tmp_path / "ready").exists, 30)

    executor.kill()
    executor.wait()

    wait_until(lambda: not marked(tmp_path))


def test_death_of_the_guard_ends_the_script(tmp_path):
    process = spawn(tmp_path, "import time; open('ready', 'w').close(); time.sleep(300)")
    wait_until((tmp_path / "ready").exists)

    os.kill(process.pid, signal.SIGKILL)

    assert process.wait(10)
    assert process.exit_record() is None
    wait_until(lambda: not marked(tmp_path))
    process.close()


def test_kill_marked_finds_what_guard_and_script_left_behind(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'],"
        " start_new_session=True)\nopen('ready', 'w').close(); time.sleep(300)"
    )
    process = spawn(tmp_path, code)
    wait_until((tmp_path / "ready").exists)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    wait_until(lambda: len(marked(tmp_path)) == 1)

    killed = kill_marked(MARK, str(tmp_path))

    assert len(killed) == 1
    wait_until(lambda: not marked(tmp_path))
    process.close()


def test_fork_bomb_of_helpers_is_ended(tmp_path):
    code = (
        "import os, time\n"
        "for _ in range(40):\n    if os.fork() == 0:\n        os.setsid(); time.sleep(300)\n"
        "open('ready', 'w').close(); time.sleep(300)"
    )
    process = spawn(tmp_path, code, grace=0.2)
    wait_until((tmp_path / "ready").exists)

    process.request_stop()

    assert process.wait(20)
    assert marked(tmp_path) == []
    process.close()
