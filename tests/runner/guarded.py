"""Commands below a guard, and what is left of them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil

from runner.process import GuardedProcess, spawn_guarded

MARK = "STUDIO_TEST_MARK"
# Starts a helper in each of the ways by which helpers get away from their parents.
ESCAPISTS = """
import os, subprocess, sys, time
def sleeper():
    time.sleep(300)
    os._exit(0)
if os.fork() == 0:            # a child in its own session
    os.setsid(); sleeper()
if os.fork() == 0:            # a daemon: its parent ends, it belongs to nobody
    os.setsid()
    if os.fork() == 0: sleeper()
    os._exit(0)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
time.sleep(0.3)
open("ready", "w").close()
"""


def spawn(tmp_path: Path, code: str, *, grace: float = 0.5) -> GuardedProcess:
    with (tmp_path / "log").open("ab") as output:
        return spawn_guarded(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, MARK: str(tmp_path)},
            output=output,
            exit_path=tmp_path / "exit.json",
            grace=grace,
        )


def marked(tmp_path: Path) -> list[int]:
    """Return the living processes of one test."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get(MARK) == str(tmp_path) and process.pid != os.getpid():
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def wait_until(is_true, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
