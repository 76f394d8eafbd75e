"""A storage that is a folder of this machine: files are used where they are."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from experiments.storage.base import (
    BLOCK,
    NO_TICK,
    Deleted,
    StorageError,
    StoredFile,
    check_name,
)


class FolderStorage:
    """Keeps files in a folder; a rename puts them in place."""

    is_local = True

    def __init__(self, root: Path) -> None:
        self.root = root

    def describe(self) -> str:
        """Return the path of the folder."""
        return str(self.root)

    def path(self, name: str) -> Path:
        """Return where a file is, whether it exists or not."""
        return self.root / check_name(name)

    def takes(self, name: str) -> bool:
        """Tell whether every part of a name is short enough for a file system."""
        return all(len(os.fsencode(part)) <= 255 for part in name.split("/"))

    def stat(self, name: str) -> StoredFile:
        """Return size and time of a file."""
        path = self.path(name)
        if not path.is_file():
            raise FileNotFoundError(f"{self.describe()} has no file '{name}'.")
        found = path.stat()
        return StoredFile(name, found.st_size, found.st_mtime)

    def read(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield bytes of a file."""
        self.stat(name)
        return read_blocks(self.path(name), start, end)

    def put(self, files: dict[str, Path], tick: Callable[[], None] = NO_TICK) -> None:
        """Move files into the folder: one rename each, a copy first from another disk."""
        for name, source in files.items():
            target = self.path(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                source.replace(target)
            except OSError:
                incoming = target.with_name(f".incoming-{secrets.token_hex(8)}")
                try:
                    shutil.copyfile(source, incoming)
                    incoming.replace(target)
                finally:
                    incoming.unlink(missing_ok=True)
                source.unlink(missing_ok=True)
            tick()

    def files(self, prefix: str) -> Iterator[StoredFile]:
        """Yield the files of a folder; links are none."""
        root = self.path(prefix)
        for folder, _, names in os.walk(root):
            for path in (Path(folder, name) for name in names):
                with suppress(FileNotFoundError):
                    if not path.is_symlink():
                        name = path.relative_to(self.root).as_posix()
                        yield StoredFile(name, path.stat().st_size, path.stat().st_mtime)

    def size(self, prefix: str) -> int:
        """Return the bytes of all files of a folder."""
        return sum(file.size for file in self.files(prefix))

    def delete(self, name: str) -> int:
        """Remove a file."""
        try:
            size = self.path(name).lstat().st_size
            self.path(name).unlink()
        except FileNotFoundError:
            return 0
        return size

    def delete_tree(self, prefix: str, *, until: float = float("inf")) -> Deleted:
        """Remove the files of a folder, then the folder."""
        freed = 0
        for file in list(self.files(prefix)):
            freed += self.delete(file.name)
            if time.monotonic() >= until:
                return Deleted(freed, is_done=False)
        # What is left are folders and links.
        shutil.rmtree(self.path(prefix), ignore_errors=True)
        return Deleted(freed, is_done=True)

    def check(self) -> str:
        """Write, read and delete a file in the folder."""
        probe = self.root / f".probe-{secrets.token_hex(8)}"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"sweep studio")
            is_same = probe.read_bytes() == b"sweep studio"
            probe.unlink()
        except OSError as error:
            text = f"The folder {self.root} cannot be used ({error.strerror})."
            raise StorageError(text) from error
        if not is_same:
            raise StorageError(f"The folder {self.root} does not give back what was written.")
        return f"{self.root}, written, read and deleted"


def read_blocks(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield bytes of a file of this machine, from `start` to before `end`."""
    with path.open("rb") as file:
        file.seek(start)
        left = float("inf") if end is None else end - start
        while left > 0 and (block := file.read(int(min(BLOCK, left)))):
            left -= len(block)
            yield block
