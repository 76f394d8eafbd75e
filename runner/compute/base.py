"""What a compute kind offers: start a command in a run directory, and a handle on it.

Pure.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from runner.process import ExitRecord
from runner.workdir import Workdir


class Handle(Protocol):
    """A started command."""

    @property
    def pid(self) -> int:
        """The process that answers for the command."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; tell whether it has ended."""

    def request_stop(self) -> None:
        """Ask it to end, then make it end; does not wait. Harmless when it has ended."""

    def close(self) -> None:
        """Let go of it: what still runs is stopped."""

    def exit_record(self) -> ExitRecord | None:
        """Return how it ended; None when nobody can say."""


class Compute(ABC):
    """A way to execute commands."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]

    @abstractmethod
    def start(
        self, argv: Sequence[str], *, env: Mapping[str, str], workdir: Workdir, grace: float
    ) -> Handle:
        """Start `argv` in `workdir.code`, its output going to `workdir.std_log`.

        `grace` is the time in seconds between the request to stop and the end by force.

        Raises:
            OSError: nothing could be started.
        """
