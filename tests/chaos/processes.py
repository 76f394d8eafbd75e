"""What lives on this machine: the processes of runs, of the studio, and whatever is left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil

_MARK = b"STUDIO_RUN_ID="


def processes_by_run() -> dict[str, list[int]]:
    """Return the living processes of every run of every studio here, by its public id."""
    found: dict[str, list[int]] = {}
    for pid in _pids():
        run = next((w[len(_MARK) :] for w in _environment(pid) if w.startswith(_MARK)), b"")
        if run:
            found.setdefault(run.decode(), []).append(pid)
    return found


def processes_of_folder(folder: Path) -> list[str]:
    """Return what lives with something below the folder in its environment or command, as text.

    Who has a title has no environment to look at. The database server is not the studio's to end.
    """
    part = str(folder).encode()
    found = []
    for pid in _pids():
        known = [*_environment(pid), _read(pid, "cmdline")]
        if any(part in word for word in known) and is_alive(pid):
            name, words = _command(pid)
            if name != "postgres":
                found.append(f"{pid} {words}")
    return found


def children(pid: int) -> list[psutil.Process]:
    """Return the children of a process; none when it is dead."""
    try:
        return psutil.Process(pid).children()
    except psutil.Error:
        return []


def child_of(supervisor: int, role: str) -> list[int]:
    """Return the processes of one role (web, watchdog, worker, valkey) below a supervisor."""
    words = {
        "web": ("uvicorn",),
        "watchdog": ("studio watchdog", "rq:worker:control"),
        "worker": ("studio worker", "rq:worker:local"),
        "valkey": ("valkey-server", "redis-server"),
    }[role]
    found = []
    for process in children(supervisor):
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if any(word in line for word in words):
            found.append(process.pid)
    return found


def guard_of(executor: int) -> int:
    """Return the guard below a work-horse; 0 when there is none."""
    for process in children(executor):
        try:
            if any(word.endswith("guard.py") for word in process.cmdline()):
                return process.pid
        except psutil.Error:
            continue
    return 0


def script_of(guard: int) -> int:
    """Return the script below a guard; 0 when there is none."""
    return next((process.pid for process in children(guard)), 0)


def parent_of(pid: int) -> int:
    """Return the parent of a process; 0 when it is dead."""
    try:
        return psutil.Process(pid).ppid()
    except psutil.Error:
        return 0


def kill(pid: int) -> bool:
    """Kill a process as `kill -9` does; False when there was none."""
    return send(pid, signal.SIGKILL)


def send(pid: int, number: int) -> bool:
    """Send a signal; False when there is no such process."""
    if pid <= 1:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _pids() -> Iterator[int]:
    me = os.getpid()
    names = os.listdir("/proc")  # noqa: PTH208 - names are all that is needed
    return (int(name) for name in names if name.isdigit() and int(name) != me)


def _environment(pid: int) -> list[bytes]:
    return _read(pid, "environ").split(b"\0")


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _command(pid: int) -> tuple[str, str]:
    try:
        process = psutil.Process(pid)
        return process.name(), " ".join(process.cmdline())[:120]
    except psutil.Error:
        return "", "ended just now"


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and no mere zombie of it."""
    try:
        return pid > 0 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
