"""Tell the end for lack of memory from any other, by what the kernel counts and the script says.

Pure; where the kernel's counters cannot be read, nothing is claimed on their behalf.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from runner.process import ExitRecord

_CGROUPS: Final = Path("/sys/fs/cgroup")
_PROC: Final = Path("/proc")
# What programs say that were refused memory themselves.
_REFUSED: Final = re.compile(
    r"\bMemoryError\b|bad_alloc|cannot allocate memory|out of memory|OutOfMemoryError",
    re.IGNORECASE,
)
_GPU: Final = re.compile(r"\b(?:CUDA|GPU|HIP|XPU|MPS)\b", re.IGNORECASE)
# What programs say when one of their helpers was killed.
_HELPER: Final = re.compile(
    r"\bkilled\b|SIGKILL|signal:? 9\b|exit(?:ed)?(?: with)?(?: code)?:? -9\b"
    r"|BrokenProcessPool|terminated abruptly",
    re.IGNORECASE,
)
# What a shell returns for a program that was killed.
_SHELL_KILLED: Final = 128 + signal.SIGKILL
# So close to the limit, a SIGKILL of unknown origin has an explanation.
_NEAR: Final = 0.9


class OutOfMemory:
    """Remembers the number of out-of-memory kills when it is made."""

    def __init__(self, cgroups: Path = _CGROUPS, proc: Path = _PROC) -> None:
        self._cgroups = cgroups
        self._proc = proc
        self._before = self._kills()

    def has_struck(self) -> bool:
        """Tell whether the kernel has killed a process of this group for memory since then."""
        now = self._kills()
        return now is not None and self._before is not None and now > self._before

    def explain(self, record: ExitRecord, error_line: str) -> str:
        """Say how lack of memory ended a process that failed; "" when it had another reason."""
        if record.signal == signal.SIGKILL:
            if self.has_struck():
                return f"out of memory; the kernel ended the script.{self._figures(record)}"
            limit = self.limit()
            if limit and record.peak >= limit * _NEAR:
                return f"perhaps out of memory.{self._figures(record)}"
            return ""
        is_helper = record.code == _SHELL_KILLED or bool(_HELPER.search(error_line))
        if is_helper and self.has_struck():
            said = f" ({error_line})" if error_line else ""
            what = "the kernel ended one of its processes"
            return f"out of memory; {what}{said}.{self._figures(record)}"
        # Memory of a GPU has other limits than that of the machine, and its errors say enough.
        if not _REFUSED.search(error_line) or _GPU.search(error_line):
            return ""
        said = error_line.rstrip(".")
        named = said if "out of memory" in said.lower() else f"out of memory ({said})"
        return f"{named}.{self._figures(record)}"

    def limit(self) -> int:
        """Return how much memory the processes here may have: of the group, else the machine."""
        total = _read_number(self._proc / "meminfo", "MemTotal:") * 1024
        limits = [int(text) for text in self._limits() if text.isdigit()]
        return min([total, *limits]) if total else min(limits, default=0)

    def _figures(self, record: ExitRecord) -> str:
        limit = self.limit()
        peak = f" Its largest process had {_size(record.peak)}" if record.peak else ""
        if peak and limit:
            return f"{peak} at most; all runs here together may have {_size(limit)}."
        return f"{peak} at most." if peak else ""

    def _kills(self) -> int | None:
        for folder in self._groups():
            for name in ("memory.events", "memory.oom_control"):
                found = _read_number(folder / name, "oom_kill", missing=-1)
                if found >= 0:
                    return found
        # The group at the top has no counter of its own: it is the whole machine.
        found = _read_number(self._proc / "vmstat", "oom_kill", missing=-1)
        return found if found >= 0 else None

    def _limits(self) -> Iterator[str]:
        for group in self._groups():
            for folder in (group, *group.parents):
                if not folder.is_relative_to(self._cgroups):
                    break
                for name in ("memory.max", "memory.limit_in_bytes"):
                    try:
                        yield (folder / name).read_text().strip()
                    except OSError:
                        continue

    def _groups(self) -> list[Path]:
        """Return the folders of the control groups that count this process's memory."""
        try:
            lines = (self._proc / "self" / "cgroup").read_text().splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            _, controllers, path = line.split(":", 2)
            relative = PurePosixPath(path.lstrip("/"))
            if not controllers:
                found.append(self._cgroups / relative)
            elif "memory" in controllers.split(","):
                found.append(self._cgroups / "memory" / relative)
        return found


def _read_number(file: Path, name: str, *, missing: int = 0) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return missing
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return missing


def _size(count: int) -> str:
    if count >= 10**9:
        return f"{count / 10**9:.1f} GB"
    return f"{count / 10**6:.0f} MB"
