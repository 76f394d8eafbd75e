"""What all parts of the benchmark are given: how much to measure, which peers, a studio."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import LiveStudio


@dataclass(frozen=True, slots=True)
class Setting:
    """`peers` is an interpreter; `is_quick` measures hardly anything, to see that all parts run."""

    peers: str
    runs: int = 1000
    reports: int = 1000
    minutes: float = 0.5
    patience: float = 120
    is_quick: bool = False

    def few(self, whole: int, quick: int) -> int:
        """Return how often something is to be done."""
        return quick if self.is_quick else whole

    def version(self, package: str) -> str | None:
        """Return the version of a package that the peers' interpreter has; None without it."""
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        done = subprocess.run(
            [self.peers, "-c", code], capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout.strip() if done.returncode == 0 else None


@contextmanager
def running_studio(*, workers: int = 2) -> Iterator[LiveStudio]:
    """Run a studio on an empty folder."""
    home = Path(tempfile.mkdtemp(prefix="studio-"))
    studio = LiveStudio(home, workers=workers)
    try:
        studio.start(300)
        yield studio
    finally:
        if studio.process is not None:
            studio.stop(seconds=60)
        shutil.rmtree(home, ignore_errors=True)
