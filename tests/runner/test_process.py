"""Processes are told apart for sure, requests to stop are never lost, and marks find everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from runner import process
from runner.process import is_dead, kill_marked, this_process
from tests.runner.guarded import MARK, marked, spawn, wait_until


def identity(pid: int) -> float:
    """Return what a process with this pid calls its start."""
    ticks = process._start_ticks(pid)
    assert ticks is not None
    return float(process._boot() + ticks)


def test_this_process_is_not_dead():
    me = this_process()

    assert me.pid == os.getpid()
    assert not is_dead(me.pid, float(me.started))


def test_identity_is_the_same_for_whoever_asks():
    code = "from runner.process import this_process as t; print(repr(float(t().started)), end=' ')"
    code += "; import sys; sys.stdout.flush(); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )

    told = float(child.stdout.read1())

    assert told == identity(child.pid)
    assert not is_dead(child.pid, told)
    child.communicate()
    assert is_dead(child.pid, told)


def test_zombie_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = identity(child.pid)
    child.kill()

    wait_until(lambda: is_dead(child.pid, started))

    child.communicate()


def test_other_process_with_the_same_pid_is_a_death():
    me = this_process()

    assert is_dead(me.pid, me.started - 1)


def test_process_of_another_boot_or_machine_is_not_called_dead():
    me = this_process()
    elsewhere = (me.started + process._BOOT_TICKS) % (65536 * process._BOOT_TICKS)

    assert not is_dead(me.pid, elsewhere)
    assert not is_dead(2**22 + 1, elsewhere)
    assert not is_dead(me.pid, 1_700_000_000.25)


def test_stop_that_comes_at_once_reaches_the_script(tmp_path):
    # Before the guard has even begun; it must neither die of it nor let the script run on.
    for _ in range(10):
        guarded = spawn(tmp_path, "import time; time.sleep(300)", grace=30)

        guarded.request_stop()

        assert guarded.wait(20)
        record = guarded.exit_record()
        assert (record.signal, record.stopped) == (signal.SIGTERM, True)
        guarded.close()


def test_script_is_started_with_signals_as_usual(tmp_path):
    code = (
        "import json, signal\n"
        "numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)\n"
        "print(json.dumps([list(signal.pthread_sigmask(signal.SIG_BLOCK, ())),"
        " [str(signal.getsignal(n)) for n in numbers]]))"
    )
    guarded = spawn(tmp_path, code)

    assert guarded.wait(20)

    blocked, handlers = json.loads((tmp_path / "log").read_text())
    assert blocked == []
    assert handlers[0] == handlers[2] == handlers[4] == str(signal.SIG_DFL)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    guarded.close()


def test_script_that_ended_before_the_stop_was_not_stopped(tmp_path):
    # Its helper gets a moment; the stop that comes in that moment did not end the script.
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import signal, time; "
        'signal.signal(signal.SIGTERM, signal.SIG_IGN); open("ready", "w").close(); '
        "time.sleep(300)'])\n"
        "import os, time\nwhile not os.path.exists('ready'): time.sleep(0.01)\n"
    )
    guarded = spawn(tmp_path, code, grace=1)
    wait_until(lambda: len(marked(tmp_path)) == 2 and (tmp_path / "ready").exists())
    time.sleep(0.2)

    guarded.request_stop()

    assert guarded.wait(20)
    assert (guarded.exit_record().code, guarded.exit_record().stopped) == (0, False)
    assert marked(tmp_path) == []
    guarded.close()


def test_kill_marked_outruns_a_script_that_multiplies(tmp_path):
    code = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "open('ready', 'w').close()\n"
        "end = time.monotonic() + 20\n"
        "while time.monotonic() < end:\n"
        "    if os.fork(): time.sleep(0.02); os._exit(0)\n"  # a new pid every moment
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, MARK: str(tmp_path)},
        start_new_session=True,
    )
    wait_until((tmp_path / "ready").exists)

    kill_marked(MARK, str(tmp_path))

    assert marked(tmp_path) == []
    child.wait()


def test_kill_marked_leaves_others_alone(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        env={**os.environ, MARK: f"{tmp_path}-other"},
    )

    assert kill_marked(MARK, str(tmp_path)) == []

    assert child.poll() is None
    assert kill_marked(MARK, str(tmp_path), is_prefix=True) == [child.pid]
    child.communicate()


def test_process_is_named_also_after_its_first_variable_was_changed():
    code = "import os; from runner import forking; os.environ['FIRST'] = 'other'"
    code += "; forking.name_process('slot 1'); print(open('/proc/self/cmdline').read(), end='')"

    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={"FIRST": "1", **os.environ},
        capture_output=True,
        text=True,
    ).stdout

    assert shown.strip("\0 ") == "slot 1"
