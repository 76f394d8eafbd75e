"""Keep child processes running and end them in order: a plain loop over signals and pid handles.

Children are programs, or forks of this process with work of their own. They live in sessions of
their own, so the terminal's Ctrl-C reaches only this process, and the kernel kills them when this
process dies. Knows nothing of what the children do.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from runner.forking import Forked, fork, name_process, write_to

_PR_SET_PDEATHSIG: Final = 1
_FIRST_DELAY: Final = 0.4
_LONGEST_DELAY: Final = 10.0
# A child that lives this long counts as started well.
_STABLE_SECONDS: Final = 10.0
_MOST_QUICK_DEATHS: Final = 5
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# One Ctrl-C can arrive twice, from the terminal and from `make`.
_SAME_REQUEST_SECONDS: Final = 0.3
# A log beyond this size is put aside when its child starts.
_MOST_LOG_BYTES: Final = 10_000_000
_ERROR_CHARACTERS: Final = 200


class GaveUp(Exception):  # noqa: N818 - the end of a studio
    """A child died again and again; the text names it and its log."""


class Process(Protocol):
    """What is started: asked and told like a `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def send_signal(self, sig: int, /) -> None: ...


class Belonging(Protocol):
    """Something open that is for the supervisor alone: forks close it before they work."""

    def close(self) -> object: ...


@dataclass(slots=True)
class Child:
    """One process to keep: `stop_seconds` is what it gets between the request and the force.

    `work` is a program with its arguments, or what a fork of this process does; `title` is what
    lists of processes call the fork. `environment` is what a program knows, None: what the
    supervisor gives to all. One that `drains` is asked first, may take as long as it likes, and is
    asked again when somebody asks for the end a second time.
    """

    name: str
    work: Sequence[str] | Callable[[], object]
    log: Path
    stop_seconds: float = 5.0
    drains: bool = False
    environment: Mapping[str, str] | None = None
    title: str = ""
    process: Process | None = None
    started: float = 0.0
    deaths: int = 0
    restart_at: float | None = None
    pidfd: int = field(default=-1)

    @property
    def is_running(self) -> bool:
        """Whether its process exists."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Starts children, restarts what dies, stops everything in the reverse order."""

    def __init__(
        self,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        cwd: Path,
        belongings: Sequence[Belonging] = (),
    ) -> None:
        self._environment = dict(environment)
        self._belongings = belongings
        self._say = say
        self._cwd = cwd
        self._children: list[Child] = []
        self._asked_at: float | None = None
        self._is_impatient = False
        self._wakeup, self._waker = os.pipe()
        for descriptor in (self._wakeup, self._waker):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        elif now - self._asked_at > _SAME_REQUEST_SECONDS:
            self._is_impatient = True

    @property
    def is_stopping(self) -> bool:
        """Whether somebody asked for the end."""
        return self._asked_at is not None

    def start(self, child: Child) -> None:
        """Start a child and look after it from now on.

        Raises:
            OSError: its command cannot be started.
        """
        _prepare_log(child.log)
        with child.log.open("ab") as log:
            work = child.work
            if callable(work):
                child.process = self.fork(work, child.title or child.name, log.fileno())
            else:
                child.process = self._start_program(child, work, log.fileno())
        child.started = time.monotonic()
        child.restart_at = None
        child.pidfd = os.pidfd_open(child.process.pid)
        if child not in self._children:
            self._children.append(child)

    def _start_program(self, child: Child, words: Sequence[str], output: int) -> Process:
        parent = os.getpid()
        return subprocess.Popen(  # noqa: S603 - a list of words, no shell
            list(words),
            env=self._environment if child.environment is None else dict(child.environment),
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # One thread lives here, so code between fork and exec is safe.
            preexec_fn=lambda: _die_with(parent),
        )

    def fork(self, work: Callable[[], object], title: str, output: int) -> Forked:
        """Fork a process that does `work` and prints to an open file; nobody looks after it."""
        return fork(partial(self._become, work, title, output))

    def _become(self, work: Callable[[], object], title: str, output: int) -> None:
        """Be a child: nothing that is the supervisor's stays open."""
        write_to(output)
        pidfds = [child.pidfd for child in self._children if child.pidfd >= 0]
        for descriptor in (self._wakeup, self._waker, *pidfds):
            os.close(descriptor)
        for belonging in self._belongings:
            belonging.close()
        os.chdir(self._cwd)
        name_process(title)
        work()

    def run(self) -> None:
        """Look after the children until a signal asks for the end.

        Raises:
            GaveUp: a child does not stay up.
        """
        while not self.is_stopping:
            for child in self._children:
                self._look_after(child)
            self._wait(self._until_restart())

    def wait_for(self, child: Child, is_ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until a child is ready; give up early when it died or the end was asked for."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if time.monotonic() > deadline or self.is_stopping or not child.is_running:
                return False
            self._wait(0.03)
        return True

    def stop(self) -> None:
        """End the children, the ones started last first; a second Ctrl-C ends the patience.

        All but the first get their signal at once; the first (the server that the others need) is
        ended when they are gone.
        """
        self._drain([child for child in self._children if child.drains and child.is_running])
        first, others = self._children[:1], self._children[1:]
        self._end(others)
        self._end(first)
        for child in self._children:
            if child.pidfd >= 0:
                os.close(child.pidfd)
                child.pidfd = -1

    def _drain(self, children: list[Child]) -> None:
        if not children or self._is_impatient or not self.is_stopping:
            return
        names = ", ".join(child.name for child in children)
        self._say(f"Waiting for the runs of {names}; Ctrl-C again does not wait.")
        for child in children:
            _signal(child, signal.SIGTERM)
        others = [child for child in self._children if child not in children]
        while any(child.is_running for child in children) and not self._is_impatient:
            # Runs end with the help of all the others.
            for child in list(others):
                self._keep_up(child, others)
            self._wait(0.5)
        # Whoever was impatient with the runs still wants them handed over in order.
        self._is_impatient, self._asked_at = False, time.monotonic()

    def _keep_up(self, child: Child, others: list[Child]) -> None:
        try:
            self._look_after(child)
        except GaveUp as error:
            # The runs may end without it, and what they leave is settled at the next start.
            self._say(str(error))
            others.remove(child)

    def _end(self, children: list[Child]) -> None:
        begun = time.monotonic()
        for child in children:
            _signal(child, signal.SIGTERM)
        while any(child.is_running for child in children):
            now = time.monotonic() - begun
            for child in children:
                if child.is_running and (now > child.stop_seconds or self._is_impatient):
                    _signal(child, signal.SIGKILL)
            self._wait(0.05)

    def _until_restart(self) -> float | None:
        times = [child.restart_at for child in self._children if child.restart_at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _wait(self, timeout: float | None) -> None:
        # Not `is_running`: that would take note of a death without doing anything about it.
        handles = [
            child.pidfd
            for child in self._children
            if child.process is not None and child.process.returncode is None
        ]
        ready, _, _ = select.select([self._wakeup, *handles], [], [], timeout)
        if self._wakeup in ready:
            os.read(self._wakeup, 4096)

    def _look_after(self, child: Child) -> None:
        if child.is_running:
            return
        if child.restart_at is None:
            self._note_death(child)
        elif time.monotonic() >= child.restart_at:
            self.start(child)

    def _note_death(self, child: Child) -> None:
        os.close(child.pidfd)
        child.pidfd = -1
        lived = time.monotonic() - child.started
        child.deaths = child.deaths + 1 if lived < _STABLE_SECONDS else 1
        code = child.process.returncode if child.process else None
        if child.deaths >= _MOST_QUICK_DEATHS:
            raise GaveUp(
                f"{child.name} ended {child.deaths} times in a row{last_words(child.log)}. "
                f"Read {child.log}."
            )
        delay = min(_FIRST_DELAY * 2 ** (child.deaths - 1), _LONGEST_DELAY)
        child.restart_at = time.monotonic() + delay
        self._say(
            f"{child.name} ended ({_end_text(code)}){last_words(child.log)}; it is started again. "
            f"See {child.log}"
        )


def last_words(log: Path) -> str:
    """Return ': ' and the last line of a log, or "" when it says nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    words = _plain(next((line.strip() for line in reversed(lines) if line.strip()), ""))
    return f": {words[:_ERROR_CHARACTERS].rstrip('.')}" if words else ""


def _plain(line: str) -> str:
    """Return what a line says to a person: the message of one that is JSON."""
    try:
        return str(json.loads(line)["message"]) if line.startswith("{") else line
    except (ValueError, KeyError, TypeError):
        return line


def _prepare_log(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _MOST_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def _end_text(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _signal(child: Child, number: int) -> None:
    if child.process is not None and child.process.poll() is None:
        child.process.send_signal(number)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
