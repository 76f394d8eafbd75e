"""Tell an out-of-memory kill from any other: the counter of this process's control group.

Pure; where the counter cannot be read, nothing is claimed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")


class OutOfMemory:
    """Remembers the number of out-of-memory kills when it is made."""

    def __init__(self) -> None:
        self._before = _kills()

    def has_struck(self) -> bool:
        """Tell whether the kernel killed a process of this group for memory since then."""
        now = _kills()
        return now is not None and self._before is not None and now > self._before


def _kills() -> int | None:
    for path in _counter_files():
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, count = line.partition(" ")
            if name == "oom_kill" and count.strip().isdigit():
                return int(count)
    return None


def _counter_files() -> list[Path]:
    try:
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            found.append(_CGROUPS / path.lstrip("/") / "memory.events")
        elif "memory" in controllers.split(","):
            found.append(_CGROUPS / "memory" / path.lstrip("/") / "memory.oom_control")
    return found
