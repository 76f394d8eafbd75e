"""Files that a client sends to a live run over HTTP: into the run's own tree, whole or not at all.

outputs/... logs/...   names that begin so are kept in these trees
uploads/...            every other name, without this folder in it
uploaded.txt           what came here for a run of another machine, which would not know it
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from django.conf import settings

from experiments.models import Run
from experiments.problems import Problem, ProblemsError
from experiments.run_files import STD_LOG, digest_of, list_files
from experiments.services.posted_reports import POSTED
from experiments.services.runs import add_artifacts
from experiments.services.transitions import StaleState
from experiments.states import RUN_LIVE, RunState

UPLOADED: Final = "uploaded.txt"
_UPLOADS: Final = "uploads"
_KEPT: Final = frozenset({"outputs", "logs"})
_MOST_NAME: Final = 1000
_BLOCK: Final = 1 << 20


class Readable(Protocol):
    """What gives bytes: a file, the body of a request."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, none at the end."""


def check_name(name: str) -> PurePosixPath:
    """Return the name of a file of a run as a path.

    Raises:
        ProblemsError: it leads out of the run, or is no name.
    """
    pure = PurePosixPath(name)
    is_odd = pure.is_absolute() or ".." in pure.parts or "\\" in name or not pure.parts
    if is_odd or len(name) > _MOST_NAME or min(name) < " " or name == STD_LOG:
        message = f"'{name[:120]}' cannot be the name of a file; use one such as plots/loss.png."
        raise ProblemsError([Problem("path", message)])
    return pure


def keep_upload(run: Run, name: str, source: Readable) -> int:
    """Keep what a stream gives under `name`; a file of that name is replaced. Returns its size.

    Raises:
        ProblemsError: the name leads out of the run, or there is no room for the file.
        StaleState: the run does not execute (any more).
    """
    pure = check_name(name)
    if RunState(run.state) not in RUN_LIVE or not Path(run.directory).is_absolute():
        raise StaleState(f"The run is {run.state}; it takes files only while it is Running.")
    folder = Path(run.directory)
    place = PurePosixPath(*pure.parts)
    if pure.parts[0] not in _KEPT or len(pure.parts) == 1:
        place = PurePosixPath(_UPLOADS, *pure.parts)
    target = folder / place
    _check_inside(target, folder, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    size = _write(run, target, source)
    if (folder / POSTED).exists():
        _note_for_other_machine(run, folder, place, name)
    return size


def uploaded_names(folder: Path) -> list[str]:
    """Return what came over HTTP for a run of another machine, as paths below its folder."""
    try:
        return (folder / UPLOADED).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _write(run: Run, target: Path, source: Readable) -> int:
    """Write a stream beside its target, then put it in place."""
    room = settings.STUDIO_MAX_OUTPUT_BYTES - sum(
        file.size_bytes for file in list_files(Path(run.directory))
    )
    handle, part = tempfile.mkstemp(prefix=".part-", dir=run.directory)
    size = 0
    try:
        with os.fdopen(handle, "wb") as file:
            for block in _blocks(source):
                size += len(block)
                if size > room:
                    message = (
                        f"The files of this run would be larger than "
                        f"{settings.STUDIO_MAX_OUTPUT_BYTES} bytes."
                    )
                    raise ProblemsError([Problem("path", message)])
                file.write(block)
        Path(part).chmod(0o644)
        Path(part).replace(target)
    finally:
        Path(part).unlink(missing_ok=True)
    return size


def _blocks(source: Readable) -> Iterator[bytes]:
    while block := source.read(_BLOCK):
        yield block


def _check_inside(target: Path, folder: Path, name: str) -> None:
    """Refuse a name that a link of the script leads elsewhere, or that is a folder."""
    parent = target.parent.resolve()
    if not parent.is_relative_to(folder.resolve()) or target.is_dir() or target.is_symlink():
        raise ProblemsError([Problem("path", f"'{name[:120]}' is a folder or a link of the run.")])


def _note_for_other_machine(run: Run, folder: Path, place: PurePosixPath, name: str) -> None:
    target = folder / place
    if str(place) not in uploaded_names(folder):
        with (folder / UPLOADED).open("a", encoding="utf-8") as notes:
            notes.write(f"{place}\n")
    add_artifacts(run.pk, [(name, target.stat().st_size, digest_of(target))])
