"""While a script runs on another machine: its log and checkpoints go to the studio, reports come.

A thread of its own, so that a slow network holds up neither reports nor the lease. What it cannot
send is sent at the end of the run; it never fails.
"""

from __future__ import annotations

import http.client
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any, Final, Protocol

from runner.workdir import KEPT, Workdir, digest_of, regular_files
from studio.sdk.client import StudioClient, StudioError

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
# Files that the script has not touched for this long are whole, and sent before the end.
_QUIET_SECONDS: Final = 10.0
_LOG_BLOCK: Final = 1024 * 1024


class Sender(Protocol):
    """What knows the addresses of this attempt and sends whole files."""

    def address(self, part: str, **query: Any) -> str:
        """Return the address of a part of the attempt."""

    def send(
        self, name: str, place: Path, size: int, digest: str, tick: Callable[[], None]
    ) -> None:
        """Send a file."""


class LiveSync(threading.Thread):
    """Looks at the directory of a run once a second until it is told to stop."""

    def __init__(self, client: StudioClient, sender: Sender, workdir: Workdir) -> None:
        super().__init__(name="live-sync", daemon=True)
        self._client = client
        self._sender = sender
        self._workdir = workdir
        # What it logs belongs to the run as well.
        self._context = copy_context()
        self._stopped = threading.Event()
        self._log_sizes: dict[str, int] = {}
        self._sent: dict[str, tuple[int, int]] = {}
        self._posted = 0

    def run(self) -> None:
        """Look until stopped; a studio that is away is asked again at the next look."""
        self._context.run(self._work)

    def _work(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            for look in (self._fetch_reports, self._send_logs, self._send_quiet_files):
                try:
                    look()
                except (StudioError, OSError, http.client.HTTPException) as error:
                    logger.warning("live transfer: %s", error)
                    break

    def stop(self) -> None:
        """End after the look that is on; what was missed is sent at the end of the run."""
        self._stopped.set()
        self.join()

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise InterruptedError("stopped; the rest is sent at the end of the run")

    def _fetch_reports(self) -> None:
        """Append the reports that came over HTTP to the journal that the executor reads."""
        answer = self._client.get(self._sender.address("posted", offset=self._posted))
        lines = str(answer["lines"]).encode("utf-8")
        if lines:
            journal = os.open(self._workdir.journal, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(journal, lines)
            finally:
                os.close(journal)
            self._posted = int(answer["offset"])

    def _send_logs(self) -> None:
        for name, path in self._logs():
            size = path.stat().st_size
            sent = self._log_sizes.get(name, 0)
            if size < sent:  # it was cut
                sent = 0
            while sent < size and not self._stopped.is_set():
                with path.open("rb") as file:
                    file.seek(sent)
                    block = file.read(_LOG_BLOCK)
                address = self._sender.address("log", path=name, offset=sent)
                answer = self._client.upload(address, block, "application/octet-stream")
                if not block or int(answer["size"]) == sent:
                    break
                sent = int(answer["size"])
                self._log_sizes[name] = sent

    def _logs(self) -> Iterator[tuple[str, Path]]:
        std_log = self._workdir.std_log
        yield std_log.relative_to(self._workdir.path).as_posix(), std_log
        for path in regular_files(self._workdir.code / KEPT[1]):
            name = path.relative_to(self._workdir.code).as_posix()
            if name != "logs/std_log.txt" and name.isprintable():
                yield name, path

    def _send_quiet_files(self) -> None:
        """Send checkpoints: what the script wrote to ./outputs some time ago."""
        for path in regular_files(self._workdir.code / KEPT[0]):
            name = path.relative_to(self._workdir.code).as_posix()
            state = path.stat()
            mark = (state.st_size, state.st_mtime_ns)
            is_quiet = time.time() - state.st_mtime > _QUIET_SECONDS
            if self._stopped.is_set() or not is_quiet or self._sent.get(name) == mark:
                continue
            if name.isprintable():
                self._sender.send(name, path, state.st_size, digest_of(path), self._go_on)
                self._sent[name] = mark
