"""What every storage can do, and the words it does it in.

Files have names with forward slashes, relative to the storage:

    snapshots/<2 digits>/<sha256>.zip           runs/<sweep>/<attempt>/outputs/model.pt
    models/<model>/<folder>/weights.bin         runs/<sweep>/<attempt>/logs/std_log.txt

A file is there whole or not at all, and is replaced whole. Nothing here knows rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

BLOCK: Final = 256 * 1024
NO_TICK: Final = lambda: None  # noqa: E731 - nobody waits


class StorageError(OSError):
    """The storage does not do what it was asked for; one sentence says why and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        # What `OSError` handlers show.
        self.strerror = text


@dataclass(frozen=True, slots=True, order=True)
class StoredFile:
    """A file of the storage; `modified` in Unix seconds."""

    name: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Deleted:
    """The bytes of the files that are gone, and whether nothing is left."""

    freed_bytes: int
    is_done: bool


class Storage(Protocol):
    """A storage. Every operation may raise StorageError (an OSError)."""

    @property
    def is_local(self) -> bool:
        """Whether files are used where they are, in a folder that this machine sees."""

    def describe(self) -> str:
        """Say where it is, without any secret."""

    def takes(self, name: str) -> bool:
        """Tell whether a file can have this name."""

    def stat(self, name: str) -> StoredFile:
        """Return what is known of a file.

        Raises:
            FileNotFoundError: there is none.
        """

    def read(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` to before `end`, block by block; those that there are.

        Raises:
            FileNotFoundError: there is none; raised before the first block.
        """

    def put(self, files: dict[str, Path], tick: Callable[[], None] = NO_TICK) -> None:
        """Keep files of this machine under names; each appears whole, with its size verified.

        A folder takes the files over (they are gone afterwards), a bucket gets copies. Calls
        `tick` about twice a second. After an error some of them are there, each whole: doing it
        again is harmless.
        """

    def files(self, prefix: str) -> Iterator[StoredFile]:
        """Yield every file below the folder `prefix` (no slash at its end), in no order."""

    def size(self, prefix: str) -> int:
        """Return the bytes of all files below the folder `prefix`; 0 when there is none."""

    def delete(self, name: str) -> int:
        """Remove one file; return the bytes that are free now, 0 when there was none."""

    def delete_tree(self, prefix: str, *, until: float = float("inf")) -> Deleted:
        """Remove every file below the folder `prefix`, until a time of the monotonic clock.

        What somebody else removes at the same time is neither an error nor counted; doing it
        again goes on where it was left.
        """

    def check(self) -> str:
        """Write, read and delete a small file; return what was seen in a few words."""


def check_name(name: str) -> str:
    """Return a name that stays inside of the storage.

    Raises:
        ValueError: it leads out of it, or is none.
    """
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts or "\0" in name:
        raise ValueError(f"{name[:200]!r} is no name of a file in the storage.")
    return name
