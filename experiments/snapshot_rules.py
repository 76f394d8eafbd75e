"""Which files of a source directory are submitted, and what an uploaded zip may hold.

Choosing and packing the files is the client's (studio/sdk/source_files.py), so that every way in
submits the same; checking what was sent is done here, before anything is unpacked. Pure: only reads
what it is given.
"""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from experiments.problems import Problem, ProblemsError
from studio.sdk.source_files import (
    LIMITS,
    MAX_BYTES,
    MAX_FILES,
    SourceDirectoryError,
    SourceFile,
    digest_of,
    list_source_files,
    write_zip,
)

__all__ = [
    "MAX_BYTES",
    "MAX_FILES",
    "SourceFile",
    "check_zip",
    "digest_of",
    "is_safe_name",
    "list_files",
    "write_zip",
]

_BLOCK: Final = 1024 * 1024
_PATH: Final = "source_directory"
# The list of the files in a zip is read at once and takes many times its size in memory.
_MAX_LIST: Final = 4 * 1024 * 1024
_MAX_ENTRIES: Final = 10 * MAX_FILES
_MAX_NAME: Final = 1000
_MAX_PART: Final = 255
# Others reserve memory by what the zip says about itself.
_COMPRESSIONS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_MOST_PROBLEMS: Final = 20


def list_files(directory: Path, *, path: str = _PATH) -> list[SourceFile]:
    """Return the files of `directory` that belong to a snapshot, sorted by name.

    Raises:
        ProblemsError: no directory, nothing in it, too much in it, or links that lead out of it.
    """
    try:
        return list_source_files(directory)
    except SourceDirectoryError as error:
        raise ProblemsError([Problem(path, message) for message in error.messages]) from error


def check_zip(source: IO[bytes], *, path: str = "snapshot") -> list[str]:
    """Return the names of the files in an uploaded zip; reads it whole and unpacks nothing.

    Raises:
        ProblemsError: no zip, a name that leads out of it, a link, or more than the limits allow
            (sizes are counted while reading: what the zip says about itself may be a lie).
    """
    try:
        with zipfile.ZipFile(cast(IO[bytes], _Bounded(source))) as archive:
            everything = archive.infolist()
            entries = [info for info in everything if not info.is_dir()]
            if len(entries) > MAX_FILES or len(everything) > _MAX_ENTRIES:
                folders = len(everything) - len(entries)
                text = f"It has {len(entries)} files and {folders} folders; {LIMITS}"
                raise _error(path, text)
            # Names first: what follows takes them apart.
            problems = [p for info in everything if (p := _entry_problem(info, path))]
            problems = problems or _duplicates(entries, path)
            if not entries:
                problems.append(Problem(path, "The zip has no files in it."))
            if problems:
                raise ProblemsError(problems[:_MOST_PROBLEMS])
            _read_through(archive, entries, path)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise _error(path, f"This is not a zip that can be read: {error}") from error
    return sorted(info.filename for info in entries)


class _Bounded(io.RawIOBase):
    """A zip whose list of files may not be larger than _MAX_LIST, whatever it says of its length.

    `zipfile` reads the list with a single call, and everything else in blocks.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_LIST:
            raise zipfile.BadZipFile(f"the list of its files has {size} bytes")
        return self._source.read(size)


def is_safe_name(name: str) -> bool:
    """Tell whether a name in a zip stays below the directory it is unpacked to, on every system."""
    parts = name.split("/")
    return (
        bool(name)
        and len(name) <= _MAX_NAME
        and bool(parts[0])
        and ".." not in parts
        and not set("\\\x00").intersection(name)
        and not (len(name) > 1 and name[1] == ":")
        and all(len(part.encode("utf-8", "replace")) <= _MAX_PART for part in parts)
    )


def _error(path: str, message: str) -> ProblemsError:
    return ProblemsError([Problem(path, message)])


def _entry_problem(info: zipfile.ZipInfo, path: str) -> Problem | None:
    name = info.orig_filename
    shown = repr(name if len(name) < 200 else f"{name[:200]}…")
    if not is_safe_name(name):
        text = f"{shown} leads out of the snapshot; use relative names"
        return Problem(path, f"{text} of at most {_MAX_NAME} characters.")
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG):
        return Problem(path, f"{shown} is a link or a device; only files are allowed.")
    if info.flag_bits & 0x1:
        return Problem(path, f"{shown} is encrypted; send it without a password.")
    if info.compress_type not in _COMPRESSIONS:
        return Problem(path, f"{shown} is compressed in an unusual way; use deflate.")
    return None


def _duplicates(entries: list[zipfile.ZipInfo], path: str) -> list[Problem]:
    seen: dict[PurePosixPath, str] = {}
    problems = []
    for info in entries:
        # "a/./b" and "a/b" are one file.
        place = PurePosixPath(info.filename)
        if place in seen:
            problems.append(Problem(path, f"{info.filename!r} stands in the zip twice."))
        seen[place] = info.filename
    folders = {parent for place in seen for parent in place.parents}
    for place in sorted(folders.intersection(seen)):
        problems.append(Problem(path, f"{seen[place]!r} is both a file and a folder in the zip."))
    return problems


def _read_through(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], path: str) -> None:
    total = 0
    for info in entries:
        before = total
        with archive.open(info) as entry:
            while block := entry.read(_BLOCK):
                total += len(block)
                if total > MAX_BYTES:
                    raise _error(path, f"Its files are larger than {LIMITS}")
        if total - before != info.file_size:
            raise _error(path, f"{info.filename!r} has not the size that the zip says.")
