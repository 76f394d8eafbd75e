"""Take files of the storage away: in pieces that end in time, counting what that frees.

Nothing outside the storage is ever touched, and no link is followed. What somebody else removes at
the same time is neither an error nor counted, so several processes may do it at once.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from experiments.storage.chosen import storage

_LOGS: Final = "logs"
_UPLOADS: Final = "uploads"
# Of a run that has ended: what it left, and what its executor did not clear up.
_LEFT_BY_RUN: Final = ("outputs", "code", "resume-from", "incoming")


@dataclass(frozen=True, slots=True)
class Removed:
    """The bytes of the files that are gone, whether nothing is left, and what stands in the way."""

    freed_bytes: int
    is_done: bool
    problem: OSError | None = None


def storage_root() -> Path:
    """Return the folder that holds everything the studio stores."""
    return Path(settings.STUDIO_STORAGE_ROOT)


def remove_sweep_files(sweep_public_id: str, *, until: float) -> Removed:
    """Remove the files of all attempts at all runs of a sweep, until a time of the monotonic clock.

    Raises:
        StorageError: a bucket does not do what it was asked for.
    """
    removed = remove_trees([storage_root() / "runs" / sweep_public_id], until=until)
    if storage().is_local or not removed.is_done:
        return removed
    deleted = storage().delete_tree(f"runs/{sweep_public_id}", until=until)
    return Removed(removed.freed_bytes + deleted.freed_bytes, deleted.is_done)


def remove_output_files(directory: str, *, until: float) -> Removed:
    """Remove what a run left in ./outputs and uploaded; its logs and its journal stay.

    Raises:
        StorageError: a bucket does not do what it was asked for.
    """
    root = Path(directory)
    if directory and not root.is_absolute():
        # A folder of the bucket; on the disk is nothing of the run any more.
        return _remove_stored_outputs(directory, until)
    if not directory or not _is_stored(root):
        return Removed(0, is_done=True)
    trees = [root / name for name in _LEFT_BY_RUN]
    uploads = root / _UPLOADS
    if uploads.is_dir() and not uploads.is_symlink():
        trees += [Path(entry) for entry in os.scandir(uploads) if entry.name != _LOGS]
    else:
        trees.append(uploads)
    return remove_trees(trees, until=until)


def remove_trees(trees: Iterable[Path], *, until: float) -> Removed:
    """Remove files and whole folders until a time of the monotonic clock; absent ones are done.

    Raises:
        ValueError: a path is no part of the storage.
    """
    freed = 0
    for tree in trees:
        if not _is_stored(tree):
            raise ValueError(f"{tree} is not in the storage of this studio; it is not removed.")
        if not os.path.lexists(tree):
            continue  # a look without any time must come to the end of what is gone already
        try:
            for size in _remove_tree(tree):
                freed += size
                if time.monotonic() >= until:
                    return Removed(freed, is_done=False)
        except OSError as error:
            # Not raised: what is gone until here has to be counted.
            return Removed(freed, is_done=False, problem=error)
    return Removed(freed, is_done=True)


def _remove_stored_outputs(prefix: str, until: float) -> Removed:
    store = storage()
    deleted = store.delete_tree(f"{prefix}/outputs", until=until)
    freed, uploads = deleted.freed_bytes, f"{prefix}/{_UPLOADS}"
    for file in list(store.files(uploads)) if deleted.is_done else ():
        if file.name.startswith(f"{uploads}/{_LOGS}/"):
            continue
        freed += store.delete(file.name)
        if time.monotonic() >= until:
            return Removed(freed, is_done=False)
    return Removed(freed, deleted.is_done)


def _remove_tree(root: Path) -> Iterator[int]:
    """Remove a tree from its leaves on; yield what each step frees."""
    waiting = [root]
    while waiting:
        folders = []
        for entry in _entries(waiting[-1]):
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            else:
                yield _remove(Path(entry.path))
        if folders:
            waiting += folders
        else:
            yield _remove(waiting.pop())


def _entries(path: Path) -> list[os.DirEntry[str]]:
    if path.is_symlink() or not path.is_dir():
        return []
    try:
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            path.chmod(stat.S_IRWXU)  # as scripts leave them that protect their files
        with os.scandir(path) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _remove(path: Path) -> int:
    """Remove a file, a link or an empty folder; return the bytes that are free now."""
    try:
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            path.rmdir()
            return 0
        path.unlink()
    except FileNotFoundError:
        return 0
    is_last = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    return found.st_size if is_last else 0


def _is_stored(path: Path) -> bool:
    """Tell whether a path leads into the storage, also after following the links on its way."""
    return path.parent.resolve().is_relative_to(storage_root().resolve()) and path.name != ".."
