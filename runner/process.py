"""Start a command behind a guard and look after it: wait, stop, read how it ended, find leftovers.

Pure. The command is a list of words, never a string that something splits.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import psutil

_GUARD: Final = Path(__file__).with_name("guard.py")
_PR_SET_PDEATHSIG: Final = 1
# Start times are whole clock ticks; two readings of one process differ by rounding only.
_SAME_START: Final = 0.05


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """How a command ended. `stopped`: the guard was asked to stop it; `exec_error`: never began."""

    code: int | None
    signal: int | None
    stopped: bool
    exec_error: str


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that cannot be taken for a later one with the same pid."""

    host: str
    pid: int
    started: float


class GuardedProcess:
    """A running guard and, below it, the command."""

    def __init__(self, popen: subprocess.Popen[bytes], lifeline: int, exit_path: Path) -> None:
        self._popen = popen
        self._lifeline = lifeline
        self._exit_path = exit_path
        self._pidfd = os.pidfd_open(popen.pid)
        self._poller = select.poll()
        self._poller.register(self._pidfd, select.POLLIN)

    @property
    def pid(self) -> int:
        """The pid of the guard."""
        return self._popen.pid

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; tell whether command and guard have ended."""
        if self._popen.returncode is None:
            self._poller.poll(timeout * 1000)
        return self._popen.poll() is not None

    def request_stop(self) -> None:
        """Ask the command to end: SIGTERM now, SIGKILL after the grace time; does not wait."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Let go of the lifeline: a guard that is still there stops its command."""
        for descriptor in (self._lifeline, self._pidfd):
            os.close(descriptor)

    def exit_record(self) -> ExitRecord | None:
        """Return how the command ended; None when the guard was killed before it could say."""
        try:
            record = json.loads(self._exit_path.read_text())
        except (OSError, ValueError):
            return None
        return ExitRecord(
            code=record["code"],
            signal=record["signal"],
            stopped=bool(record["stopped"]),
            exec_error=str(record["exec_error"]),
        )


def spawn_guarded(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: IO[bytes],
    exit_path: Path,
    grace: float,
) -> GuardedProcess:
    """Start `argv` behind a guard; its standard output and error go to `output`.

    A file and not a pipe: the death of the reader must not break the script in its last save.

    Raises:
        OSError: the guard itself cannot be started.
    """
    exit_path.unlink(missing_ok=True)
    lifeline, writer = os.pipe()
    words = [sys.executable, "-S", "-E", str(_GUARD), str(lifeline), str(os.getpid())]
    try:
        popen = subprocess.Popen(  # noqa: S603 - a list of words, no shell
            [*words, str(grace), str(exit_path), "--", *argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lifeline,),
            start_new_session=True,
        )
    except BaseException:
        os.close(writer)
        raise
    finally:
        os.close(lifeline)
    return GuardedProcess(popen, writer, exit_path)


def die_with_parent(parent: int) -> None:
    """Make the kernel kill this process when its parent dies; end now if it has died already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def this_process() -> ProcessIdentity:
    """Return the identity of this process."""
    return ProcessIdentity(socket.gethostname(), os.getpid(), psutil.Process().create_time())


def is_alive(pid: int, started: float) -> bool:
    """Tell whether the process with this pid and start time lives on this machine."""
    try:
        process = psutil.Process(pid)
        return (
            abs(process.create_time() - started) < _SAME_START
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except psutil.Error:
        return False


def kill_marked(variable: str, value: str, *, is_prefix: bool = False) -> list[int]:
    """Kill every process of this machine that was started with `variable=value`; return the pids.

    The last resort for what a run left behind when executor and guard were both killed. With
    `is_prefix` the variable only has to begin with `value`.
    """
    marker = f"{variable}={value}".encode()
    killed = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are all that is needed
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            words = Path("/proc", name, "environ").read_bytes().split(b"\0")
            if marker in words or (is_prefix and any(w.startswith(marker) for w in words)):
                os.kill(int(name), signal.SIGKILL)
                killed.append(int(name))
        except OSError:
            continue
    return killed
