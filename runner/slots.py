"""The slots of one machine: each a fork of this process, which has everything loaded already.

A slot that dies is started again, a request to stop is passed on. A hundred slots cost a hundred
times what they write, not what they read, and start within a second or two.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from runner.process import die_with_parent

# Also the least time between two attempts to start a slot that does not stay up.
_LOOK_SECONDS: Final = 1.0
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Slots:
    """Looks after `count` processes that call `work`, or one for each of `gpus`.

    `work` is given its part of the machine ("" without GPUs) and returns when it was told to stop.
    Nothing may be open in this process that two processes cannot share.
    """

    def __init__(self, work: Callable[[str], None], count: int, gpus: Sequence[str] = ()) -> None:
        self._work = work
        self._free_gpus = list(gpus)
        self._gpus: dict[int, str] = {}
        self._codes: list[int] = []
        self._stop_signal = 0
        gc.collect()
        gc.freeze()  # the collector of a slot leaves the shared pages alone
        for number in _STOP_SIGNALS:
            signal.signal(number, self._on_stop)
        for _ in range(count):
            self._start()

    def run(self) -> int:
        """Look after the slots until they were told to stop and have; return the exit code."""
        while self._gpus:
            time.sleep(_LOOK_SECONDS)
            self._reap()
        return max(0, *self._codes) if self._codes else 0

    def _reap(self) -> None:
        for pid in list(self._gpus):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                gpu = self._gpus.pop(pid)
                if self._stop_signal:
                    self._codes.append(os.waitstatus_to_exitcode(status))
                else:
                    self._free_gpus += [gpu] if gpu else []
                    self._start()

    def _on_stop(self, number: int, _: object) -> None:
        self._stop_signal = number
        for pid in self._gpus:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _start(self) -> None:
        parent = os.getpid()
        gpu = self._free_gpus.pop(0) if self._free_gpus else ""
        sys.stdout.flush()
        sys.stderr.flush()
        # A request to stop waits until whoever it reaches knows what to do with it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._become_slot(parent, gpu, before)
            self._gpus[pid] = gpu
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _become_slot(self, parent: int, gpu: str, mask: set[int | signal.Signals]) -> None:
        code = 1
        try:
            die_with_parent(parent)
            os.setsid()
            if self._stop_signal:
                os._exit(0)
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._work(gpu)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except Exception:  # noqa: BLE001 - it is said, and the slot ends
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
