"""Processes that are told what to do line by line, and end in time whatever they do."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from tests.servers import ROOT, clean_environment

SCRIPTS = ROOT / "tests" / "bench_peers"


class WorkerError(Exception):
    """A worker did not answer; the text says why in one line."""


class Worker:
    """A process that obeys lines; its first answer is `version`. Use it in a `with`."""

    def __init__(
        self, command: Sequence[str], *, seconds: float = 180, environment: dict[str, str]
    ) -> None:
        self.told = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - read when it has failed
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.told,
            env=environment,
            cwd=ROOT,
        )
        self._rest = b""
        self.seconds = seconds
        try:
            self.version = str(self.hear())
        except BaseException:
            self.close(grace=0)
            raise

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, line: str, seconds: float | None = None) -> Any:
        """Tell it a line, return its answer.

        Raises:
            WorkerError: it ended, or was too slow; it does not live any more then.
        """
        self.tell(line)
        return self.hear(seconds)

    def tell(self, line: str) -> None:
        """Tell it a line."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise WorkerError(self._reason("it has ended")) from error

    def hear(self, seconds: float | None = None) -> Any:
        """Return its next answer.

        Raises:
            WorkerError: it ended, or was too slow; it does not live any more then.
        """
        limit = seconds or self.seconds
        deadline = time.monotonic() + limit
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.process.kill()
                    raise WorkerError(f"no answer within {limit:.0f} s")
                piece = os.read(self.process.stdout.fileno(), 1 << 20)
                if not piece:
                    self.process.wait(10)
                    raise WorkerError(self._reason(f"it ended with {self.process.returncode}"))
                self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def close(self, grace: float = 20) -> None:
        """Let it end, and what it started with it."""
        family = family_of(self.process.pid)
        if self.process.stdin is not None and not self.process.stdin.closed:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        end_all([one for one in family if one.pid != self.process.pid])
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.told.close()

    def _reason(self, plain: str) -> str:
        self.told.seek(0)
        lines = [line.strip() for line in self.told.read().decode(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), plain)


def script(
    python: str, name: str, *arguments: str | Path, seconds: float = 180, **environment: str
) -> Worker:
    """Start a script of tests/bench_peers with an interpreter."""
    command = [python, "-u", str(SCRIPTS / f"{name}.py"), *map(str, arguments)]
    told = clean_environment(PYTHONDONTWRITEBYTECODE="1", **environment)
    return Worker(command, seconds=seconds, environment=told)


def family_of(pid: int) -> list[psutil.Process]:
    """Return a process and all below it; none that has ended."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end_all(processes: Sequence[psutil.Process], grace: float = 5) -> None:
    """Ask processes to end, and end those that do not."""
    for number in ("terminate", "kill"):
        for process in processes:
            try:
                getattr(process, number)()
            except psutil.Error:
                continue
        _, processes = psutil.wait_procs(processes, timeout=grace)
