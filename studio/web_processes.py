"""The processes that answer requests: each says who it is in a folder, and finds the others there.

`studio up` makes the folder anew at its start and tells each its number. Served in any other way,
a process is alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".pid"


class WebProcesses:
    """Who answers requests on this machine, by number, from 1 on."""

    def __init__(self) -> None:
        self.folder: Path | None = None

    def join(self, folder: Path, number: int) -> None:
        """Say that this process is that number."""
        (folder / f"{number}{_SUFFIX}").write_text(str(os.getpid()))
        self.folder = folder

    def pids(self) -> Mapping[int, int]:
        """Return the pids of all by their numbers; one that has just died is among them."""
        if self.folder is None:
            return {1: os.getpid()}
        found: dict[int, int] = {}
        for path in sorted(self.folder.glob(f"*{_SUFFIX}"), key=lambda path: int(path.stem)):
            text = path.read_text()
            # Empty for the moment in which a new one writes it.
            found |= {int(path.stem): int(text)} if text.isdigit() else {}
        return found


def make_folder(home: Path) -> Path:
    """Make the folder in a data folder, without what was there; return it."""
    folder = home / "web"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


WEB_PROCESSES: Final = WebProcesses()
