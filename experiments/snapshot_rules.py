"""Which files of a source directory are submitted, and what an uploaded zip may hold.

Choosing and packing the files is the client's (studio/sdk/source_files.py), so that every way in
submits the same; checking what was sent is done here. Pure: only reads what it is given.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Final

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
        with zipfile.ZipFile(source) as archive:
            entries = [info for info in archive.infolist() if not info.is_dir()]
            problems = [p for info in entries if (p := _entry_problem(info, path))]
            if len(entries) > MAX_FILES:
                problems.append(Problem(path, f"It has {len(entries)} files; {LIMITS}"))
            problems += _duplicates(entries, path)
            if not entries:
                problems.append(Problem(path, "The zip has no files in it."))
            if problems:
                raise ProblemsError(problems)
            _read_through(archive, entries, path)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise _error(path, f"This is not a zip that can be read: {error}") from error
    return sorted(info.filename for info in entries)


def is_safe_name(name: str) -> bool:
    """Tell whether a name in a zip stays below the directory it is unpacked to."""
    pure = PurePosixPath(name)
    return (
        bool(name)
        and not pure.is_absolute()
        and ".." not in pure.parts
        and not set("\\\x00").intersection(name)
        and not (len(name) > 1 and name[1] == ":")
    )


def _error(path: str, message: str) -> ProblemsError:
    return ProblemsError([Problem(path, message)])


def _entry_problem(info: zipfile.ZipInfo, path: str) -> Problem | None:
    if not is_safe_name(info.filename):
        return Problem(path, f"{info.filename!r} leads out of the snapshot; use relative names.")
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return Problem(path, f"{info.filename!r} is a link or a device; only files are allowed.")
    if info.flag_bits & 0x1:
        return Problem(path, f"{info.filename!r} is encrypted; send it without a password.")
    return None


def _duplicates(entries: list[zipfile.ZipInfo], path: str) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for info in entries:
        if info.filename in seen:
            problems.append(Problem(path, f"{info.filename!r} stands in the zip twice."))
        seen.add(info.filename)
    folders = {str(parent) for name in seen for parent in PurePosixPath(name).parents}
    for name in sorted(seen & folders):
        problems.append(Problem(path, f"{name!r} is both a file and a folder in the zip."))
    return problems


def _read_through(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], path: str) -> None:
    total = 0
    for info in entries:
        with archive.open(info) as entry:
            while block := entry.read(_BLOCK):
                total += len(block)
                if total > MAX_BYTES:
                    raise _error(path, f"Its files are larger than {LIMITS}")
