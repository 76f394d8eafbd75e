"""The slots of one machine: each a fork of this process, which has everything loaded already.

A slot that dies is started again, a request to stop is passed on. A hundred slots cost a hundred
times what they write, not what they read, and start within a second or two.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from runner.forking import fork

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
        gpu = self._free_gpus.pop(0) if self._free_gpus else ""
        fork(partial(self._become_slot, gpu), partial(self._note, gpu))

    def _note(self, gpu: str, pid: int) -> None:
        self._gpus[pid] = gpu

    def _become_slot(self, gpu: str) -> None:
        if not self._stop_signal:
            self._work(gpu)
