"""Fork this process, with everything it has loaded, into one that does something else.

Pure. What the child sees is that of a program which has just been started: default signals, a
session of its own, nobody's child but ours. One thread may live here when it happens.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runner.process import die_with_parent

try:
    import setproctitle as titles
except ImportError:  # it is not everywhere
    titles = None  # type: ignore[assignment]  # asked for below
else:
    # It looks for the arguments in front of the variables, and finds them no more once the first of
    # these is changed, as `studio up` does.
    titles.getproctitle()

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(slots=True)
class Forked:
    """A child without a program of its own; asked and told like a `subprocess.Popen`."""

    pid: int
    returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it lives."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def fork(work: Callable[[], object], note: Callable[[int], object] = lambda pid: None) -> Forked:
    """Fork a child that does `work` and ends, and that the kernel kills when this process dies.

    `note` is told its pid while no request to stop can come between.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    # A request to stop waits until whoever it reaches knows what to do with it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _become(parent, before, work)
        note(pid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Forked(pid)


def write_to(output: int) -> None:
    """Let this process read nothing, and write what it prints to an open file, at once."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for number in (1, 2):
        os.dup2(output, number)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=True)  # type: ignore[union-attr]  # text


def name_process(name: str) -> None:
    """Let lists of processes show this name, where the library for it is installed."""
    if titles is None:
        Path("/proc/self/comm").write_text(name)
    else:
        titles.setproctitle(name)


def _become(parent: int, mask: set[int | signal.Signals], work: Callable[[], object]) -> None:
    code = 1
    try:
        die_with_parent(parent)
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if callable(signal.getsignal(signal.SIGHUP)):
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        code = _code_of(mask, work)
        # As at the end of a program: what threads have begun is done.
        threading._shutdown()  # type: ignore[attr-defined]  # multiprocessing calls it as well
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _code_of(mask: set[int | signal.Signals], work: Callable[[], object]) -> int:
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        work()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - it is said, and the process ends
        traceback.print_exc()
        return 1
    return 0
