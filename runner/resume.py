"""The outputs of an earlier run for a run that goes on from it: a copy for reading only.

A copy, no links: it stays whole when the earlier run is deleted, and nothing that a script does to
it reaches the earlier run. Pure: knows paths and files, no database.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from experiments.run_files import output_files

_BLOCK: Final = 1 << 20
_READ: Final = 0o444
_RUN: Final = 0o111


def copy_outputs(source: Path, target: Path, tick: Callable[[], None]) -> int:
    """Copy what the run in `source` left in ./outputs to `target`; return the number of files.

    Nothing in `target` can be written afterwards. Calls `tick` between the blocks: gigabytes take
    longer than a lease lasts.

    Raises:
        OSError: there is nothing to copy (any more), or the disk does not take it.
    """
    remove_copy(target)
    target.mkdir(parents=True)
    count = 0
    for relative, path in output_files(source):
        _copy_file(path, target / relative, tick)
        count += 1
    for folder, _, _ in os.walk(target, topdown=False):
        Path(folder).chmod(_READ | _RUN)
    if not count:
        raise FileNotFoundError(f"the earlier run in {source} has no outputs any more")
    return count


def remove_copy(target: Path) -> None:
    """Remove such a copy, if there is one."""
    if not target.is_dir():
        return
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(stat.S_IRWXU)
    shutil.rmtree(target)


def _copy_file(source: Path, target: Path, tick: Callable[[], None]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # The same path may come twice: the last one counts.
    target.unlink(missing_ok=True)
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(_BLOCK):
            writing.write(block)
            tick()
    shutil.copystat(source, target)
    target.chmod(_READ | (source.stat().st_mode & _RUN))
