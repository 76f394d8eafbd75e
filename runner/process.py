"""Start a command behind a guard and look after it: wait, stop, read how it ended, find leftovers.

Pure. The command is a list of words, never a string that something splits.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

from runner.guard import STOP_SIGNALS, descendants, has_children

_GUARD: Final = Path(__file__).with_name("guard.py")
# As a module, since Python compiles a program anew for each start of it.
_START_GUARD: Final = (
    "import os, sys; sys.path.insert(0, os.path.dirname(sys.argv[1])); "
    "from guard import main; main(sys.argv[2:])"
)
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_DUMPABLE: Final = 4
# Room for the exit record, taken before the script can fill the disk.
_EXIT_BYTES: Final = 4096
# More clock ticks than a machine stays up for; what stands above tells machines apart.
_BOOT_TICKS: Final = 10**11
_KILL_ROUNDS: Final = 50
# The list of processes is no picture of one moment: what forks while it is read may not be in it.
_QUIET_ROUNDS: Final = 3


__all__ = [
    "ExitRecord",
    "GuardedProcess",
    "ProcessIdentity",
    "adopt_orphans",
    "die_with_parent",
    "has_children",
    "is_dead",
    "kill_descendants",
    "kill_marked",
    "spawn_guarded",
    "this_process",
]


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """How a command ended. `stopped`: the guard was asked to stop it; `exec_error`: never began.

    `peak` is the largest memory of one of its processes, in bytes.
    """

    code: int | None
    signal: int | None
    stopped: bool
    exec_error: str
    peak: int = 0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that cannot be taken for another one with the same pid.

    `started` counts clock ticks since the boot of this very machine, and no seconds of a calendar:
    a clock that is set must not make a healthy worker look dead.
    """

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
            peak=int(record.get("peak", 0)),
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
    exit_path.write_bytes(b" " * _EXIT_BYTES)
    lifeline, writer = os.pipe()
    words = [sys.executable, "-I", "-S", "-c", _START_GUARD, str(_GUARD)]
    words += [str(lifeline), str(os.getpid())]
    # A request to stop that comes before the guard can understand it waits until it can.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
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
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return GuardedProcess(popen, writer, exit_path)


def die_with_parent(parent: int) -> None:
    """Make the kernel kill this process when its parent dies; end now if it has died already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own: none gets out of sight."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def hide_from_scripts() -> None:
    """Keep environment and memory of this process from other processes of the same user.

    A worker knows the passwords of the database and of Redis, and a script may run as its user: it
    could read them in /proc. Programs that are started from here are as open as ever, since a new
    program begins anew.
    """
    if sys.platform == "linux":
        _prctl(_PR_SET_DUMPABLE, 0)


def kill_descendants() -> None:
    """Kill everything below this process, again and again until nothing is left."""
    for _ in range(_KILL_ROUNDS):
        below = descendants() if has_children() else []
        if not below:
            return
        for pid in below:
            _kill(pid)
        time.sleep(0.02)


def this_process() -> ProcessIdentity:
    """Return the identity of this process."""
    ticks = _start_ticks(os.getpid())
    assert ticks is not None  # noqa: S101 - it runs
    return ProcessIdentity(socket.gethostname(), os.getpid(), _boot() + ticks)


def is_dead(pid: int, started: float) -> bool:
    """Tell whether the process of this identity is certainly dead.

    False also when that cannot be known from here: it was started before the last boot, on another
    machine of the same name, or in another container.
    """
    boot, ticks = divmod(started, _BOOT_TICKS)
    if boot * _BOOT_TICKS != _boot():
        return False
    return _start_ticks(pid) != ticks


def kill_marked(variable: str, value: str, *, is_prefix: bool = False) -> list[int]:
    """Kill every process of this machine that was started with `variable=value`; return the pids.

    The last resort for what a run left behind when executor and guard were both killed. With
    `is_prefix` the variable only has to begin with `value`.
    """
    marker = f"{variable}={value}".encode()
    killed: list[int] = []
    quiet = 0
    for _ in range(_KILL_ROUNDS):
        found = [pid for pid in _processes() if _is_marked(pid, marker, is_prefix=is_prefix)]
        quiet = 0 if found else quiet + 1
        if quiet == _QUIET_ROUNDS:
            break
        killed += [pid for pid in found if pid not in killed and _kill(pid)]
        time.sleep(0.01)
    return killed


def _processes() -> list[int]:
    me = os.getpid()
    names = os.listdir("/proc")  # noqa: PTH208 - names are all that is needed
    return [int(name) for name in names if name.isdigit() and int(name) != me]


def _is_marked(pid: int, marker: bytes, *, is_prefix: bool) -> bool:
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return marker in words or (is_prefix and any(word.startswith(marker) for word in words))


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return False
    return True


def _start_ticks(pid: int) -> int | None:
    """Return when a process was started, in clock ticks since the boot; None when it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


@lru_cache(maxsize=1)
def _boot() -> int:
    """Return a number that belongs to this boot of this machine and its space of pids."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no path, a name
    digest = hashlib.sha256(f"{boot.strip()} {space}".encode()).digest()
    # 16 bits beside the ticks are what a float holds without loss.
    return int.from_bytes(digest[:2], "big") * _BOOT_TICKS


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
