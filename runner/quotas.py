"""Hold the log and the outputs of a running script below their limits.

Pure. The limits are no precise ones: walking a large folder costs, so it is done now and then.
"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Final

from experiments.formats import format_filesize
from runner import logs
from runner.workdir import KEPT, Workdir, tree_bytes

# No space left on the device, or none of this user's share of it.
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def free_bytes(folder: Path) -> int:
    """Return the free space of the disk that a folder lies on, or will lie on."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(existing).free


class Quotas:
    """The limits of one run."""

    def __init__(self, workdir: Workdir, *, log_bytes: int, output_bytes: int) -> None:
        self._workdir = workdir
        self._log_bytes = log_bytes
        self._output_bytes = output_bytes
        self._lost = 0

    def cut_log(self) -> None:
        """Cut the log when it is too long."""
        path = self._workdir.std_log
        self._lost += logs.cut_log(path, self._log_bytes, lost_before=self._lost)

    def excess(self) -> str:
        """Say why the run must end: its outputs are larger than allowed; "" when they are not."""
        size = sum(tree_bytes(self._workdir.code / name) for name in KEPT)
        if size <= self._output_bytes:
            return ""
        reached, limit = format_filesize(size), format_filesize(self._output_bytes)
        return f"its outputs reached {reached}, more than the limit of {limit}"
