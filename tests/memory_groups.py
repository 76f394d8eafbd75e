"""A control group with a memory limit, made for a test where this machine allows it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_ROOT = Path("/sys/fs/cgroup")
# Name of the file with the limit, and of the one that keeps swap out, by version of the interface.
_LIMITS = {
    1: ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    2: ("memory.max", "memory.swap.max"),
}


def can_limit_memory() -> bool:
    """Tell whether a group with a limit can be made here."""
    with memory_group(100_000_000) as group:
        return group is not None


@contextmanager
def memory_group(limit: int) -> Iterator[Path | None]:
    """Give the folder of a group whose processes may have `limit` bytes; None: not allowed here."""
    found = _make(limit)
    try:
        yield found
    finally:
        if found is not None:
            for _ in range(100):  # the kernel needs a moment to see that it is empty
                with suppress(OSError):
                    found.rmdir()
                    break
                time.sleep(0.05)


def _make(limit: int) -> Path | None:
    for version, parent in _parents():
        folder = parent / f"studio-test-{uuid4().hex[:8]}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            ceiling, swap = (folder / name for name in _LIMITS[version])
            ceiling.write_text(str(limit))
            if swap.exists():
                swap.write_text(str(limit if version == 1 else 0))
        except OSError:
            folder.rmdir()
            continue
        return folder
    return None


def _parents() -> Iterator[tuple[int, Path]]:
    if os.getuid() != 0:
        return
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            yield 1, _ROOT / "memory" / path.lstrip("/")
            yield 1, _ROOT / "memory"
        elif not controllers:
            own = _ROOT / path.lstrip("/")
            yield from (
                (2, folder) for folder in (own, *own.parents) if folder.is_relative_to(_ROOT)
            )
