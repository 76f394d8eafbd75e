"""The files of one run or one version as a tree, wherever they are: on disk or in the storage.

A run that executes has a directory on the disk; where the storage is a bucket, its row names a
folder of the storage afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from experiments import run_files
from experiments.run_files import RunFile, TextPiece
from experiments.storage.base import NO_TICK, Storage, StorageError, StoredFile
from experiments.storage.folder import read_blocks

_OUTPUTS: Final = "outputs"
_TREES: Final = (_OUTPUTS, "logs")
_UPLOADS: Final = "uploads"


class Source(Protocol):
    """A file that can be read, wherever it is."""

    @property
    def name(self) -> str:
        """The last part of its name."""

    @property
    def size(self) -> int:
        """Its length in bytes; of a file that grows, as it was found."""

    @property
    def modified(self) -> float:
        """When it was written, in Unix seconds."""

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield its bytes from `start` to before `end`.

        Raises:
            FileNotFoundError: it is gone.
        """


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file of this machine."""

    path: Path

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.name

    @property
    def size(self) -> int:
        """How long it is now."""
        return self.path.stat().st_size

    @property
    def modified(self) -> float:
        """When it was written."""
        return self.path.stat().st_mtime

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield its bytes."""
        return read_blocks(self.path, start, end)


@dataclass(frozen=True, slots=True)
class StorageFile:
    """A file of the storage."""

    storage: Storage
    stored: StoredFile

    @property
    def name(self) -> str:
        """Its name."""
        return PurePosixPath(self.stored.name).name

    @property
    def size(self) -> int:
        """How long it is."""
        return self.stored.size

    @property
    def modified(self) -> float:
        """When it was written."""
        return self.stored.modified

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield its bytes."""
        return self.storage.read(self.stored.name, start, end)


class FileTree(Protocol):
    """The files of one run: `outputs/...`, `logs/...` and names given at upload."""

    def files(self) -> list[RunFile]:
        """Return every file, sorted by path."""

    def find(self, path: str) -> Source:
        """Return one file.

        Raises:
            FileNotFoundError: there is none, or the path leads out of the tree.
        """

    def outputs(self) -> Iterator[tuple[str, Source]]:
        """Yield (path below `outputs`, file); of files with one path the last one counts."""

    def read_text(self, path: str, offset: int, limit: int) -> TextPiece:
        """Return a piece of a text file; an absent file is empty."""


class NoTree:
    """The files of a run that has not started."""

    def files(self) -> list[RunFile]:
        """Return nothing."""
        return []

    def find(self, path: str) -> Source:
        """Raise FileNotFoundError."""
        raise FileNotFoundError(f"The run has no file '{path}'.")

    def outputs(self) -> Iterator[tuple[str, Source]]:
        """Yield nothing."""
        return iter(())

    def read_text(self, path: str, offset: int, limit: int) -> TextPiece:
        """Return nothing."""
        return TextPiece("", 0, 0, 0)


@dataclass(frozen=True, slots=True)
class DiskTree:
    """The files of a run in its directory on this machine, also while it executes."""

    directory: Path

    def files(self) -> list[RunFile]:
        """Return every file, sorted by path."""
        return run_files.list_files(self.directory)

    def find(self, path: str) -> Source:
        """Return one file."""
        return DiskFile(run_files.find_file(self.directory, path))

    def outputs(self) -> Iterator[tuple[str, Source]]:
        """Yield what is in ./outputs and what was uploaded there."""
        for path, place in run_files.output_files(self.directory):
            yield str(path), DiskFile(place)

    def read_text(self, path: str, offset: int, limit: int) -> TextPiece:
        """Return a piece of a text file; a link out of the tree in its place is empty."""
        try:
            place = run_files.find_file(self.directory, path)
        except FileNotFoundError:
            return TextPiece("", 0, 0, 0)
        return run_files.read_text(place, offset, limit)


@dataclass(frozen=True, slots=True)
class StoredTree:
    """The files of a run that has ended, below a folder of the storage."""

    storage: Storage
    prefix: str

    def files(self) -> list[RunFile]:
        """Return every file, sorted by path."""
        return [RunFile(path, file.size) for path, file in sorted(self._found().items())]

    def find(self, path: str) -> Source:
        """Ask the storage for one file."""
        parts = PurePosixPath(path).parts
        if "\0" not in path and parts and parts[0] != "/" and ".." not in parts:
            places = [path] if parts[0] in _TREES else []
            for place in (*places, f"{_UPLOADS}/{path}"):
                with suppress(FileNotFoundError):
                    return StorageFile(self.storage, self.storage.stat(f"{self.prefix}/{place}"))
        raise FileNotFoundError(f"The run has no file '{path}'.")

    def outputs(self) -> Iterator[tuple[str, Source]]:
        """Yield what is below outputs/."""
        for path, file in self._found().items():
            if path.startswith(f"{_OUTPUTS}/"):
                yield path.removeprefix(f"{_OUTPUTS}/"), StorageFile(self.storage, file)

    def read_text(self, path: str, offset: int, limit: int) -> TextPiece:
        """Return a piece of a text file."""
        try:
            source = self.find(path)
        except FileNotFoundError:
            return TextPiece("", 0, 0, 0)
        start = min(offset, source.size)
        raw = b"".join(source.blocks(start, min(start + limit, source.size))) if limit else b""
        return run_files.text_piece(raw, start, source.size)

    def _found(self) -> dict[str, StoredFile]:
        found = {}
        for file in self.storage.files(self.prefix):
            path = file.name.removeprefix(f"{self.prefix}/")
            if path.startswith(f"{_UPLOADS}/"):
                found[path.removeprefix(f"{_UPLOADS}/")] = file
            elif path.split("/")[0] in _TREES:
                found.setdefault(path, file)
        return found


def download(
    source: Source, target: Path, *, digest: str = "", tick: Callable[[], None] = NO_TICK
) -> None:
    """Copy a file to this machine, verified by its SHA-256 where that is known.

    Raises:
        StorageError: it has other content.
        FileNotFoundError: it is gone.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for block in source.blocks():
            file.write(block)
            tick()
    if digest and run_files.digest_of(target) != digest:
        target.unlink()
        raise StorageError(f"'{source.name}' is damaged in the storage: it has another SHA-256.")
