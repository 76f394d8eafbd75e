"""A thread that follows something in a studio until its end: pauses, lost studios, stopping.

Knows neither sweeps nor notebooks. Standard library only; Python 3.8 syntax.
"""

import threading
import time
import weakref
from typing import Any, Callable, Optional

from studio.sdk.client import StudioError, StudioRefusedError

LIVE, LOST, ENDED, STOPPED, FAILED = "live", "lost", "ended", "stopped", "failed"

_FIRST_PAUSE, _LAST_PAUSE = 2.0, 15.0
_SLOWER = 1.3
# Of the time that a step took: the studio and the network have other work, too.
_SHARE = 4.0
_all: "weakref.WeakSet[Following]" = weakref.WeakSet()


class Following:
    """Calls `step` again and again in a thread of its own.

    `step` returns whether anything was new, and whether it has ended. `tell` is told LIVE, LOST,
    ENDED, STOPPED or FAILED with a sentence, whenever that changes. What nothing happens to is
    asked less and less often.
    """

    def __init__(
        self,
        step: Callable[[], "tuple[bool, bool]"],
        tell: Callable[[str, str], None],
        pauses: "tuple[float, float]" = (_FIRST_PAUSE, _LAST_PAUSE),
    ) -> None:
        self._step = step
        self._tell = tell
        self._pauses = pauses
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._told = ("", "")
        _all.add(self)

    @property
    def is_running(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, or begin again; nothing happens while it runs."""
        if self.is_running and not self._stopped.is_set():
            return
        # A thread that was told to stop keeps its own signal.
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._stopped,), name="studio-following", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Take the next step now."""
        self._wake.set()

    def stop(self, reason: str = "") -> None:
        """End soon; a `reason` is told."""
        if self.is_running and not self._stopped.is_set():
            self._stopped.set()
            self._wake.set()
            if reason:
                self._say(STOPPED, reason)

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, stopped: threading.Event) -> None:
        pause, failures = self._pauses[0], 0
        while not stopped.is_set():
            started = time.monotonic()
            try:
                is_new, has_ended = self._step()
            except StudioError as error:
                if stopped.is_set() or not self._is_passing(error):
                    return
                failures += 1
                pause = min(self._pauses[1], self._pauses[0] * 2 ** min(failures, 8))
                self._say(LOST, "The studio does not answer; trying again. %s" % error)
            except Exception as error:  # noqa: BLE001 - a notebook must not fill with tracebacks
                self._say(FAILED, "This is not followed any more: %s" % (error or repr(error)))
                return
            else:
                if stopped.is_set():
                    return
                failures = 0
                if has_ended:
                    self._say(ENDED, "")
                    return
                self._say(LIVE, "")
                slower = min(self._pauses[1], pause * _SLOWER)
                pause = self._pauses[0] if is_new else slower
                pause = max(pause, _SHARE * (time.monotonic() - started))
            self._wake.wait(pause)
            self._wake.clear()

    def _is_passing(self, error: StudioError) -> bool:
        """Tell whether it is worth trying again; say that it is not."""
        if not isinstance(error, StudioRefusedError) or error.status == 429 or error.status >= 500:
            return True
        self._say(FAILED, "This is not followed any more: %s" % error)
        return False

    def _say(self, state: str, text: str) -> None:
        if (state, text) != self._told:
            self._told = (state, text)
            self._tell(state, text)


def stop_all(reason: str) -> None:
    """Stop everything that is followed in this process."""
    for following in list(_all):
        following.stop(reason)


def stop_when_interrupted(shell: Any) -> None:
    """Let an interrupt of a notebook's kernel end all following; asking again changes nothing."""
    if not getattr(shell, "_studio_stops", False):
        shell._studio_stops = True
        shell.events.register("post_run_cell", _after_cell)


def _after_cell(result: Any = None) -> None:
    if isinstance(getattr(result, "error_in_exec", None), KeyboardInterrupt):
        stop_all("Stopped by an interrupt of the kernel.")
