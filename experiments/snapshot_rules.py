"""Which files of a source directory are submitted, and how they become one zip.

Shared by the studio and the command line. `.amlignore` beats `.gitignore` (same syntax, read from
the top of the directory); limits are those of the contract. Pure: only reads what it is given.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from pathspec import GitIgnoreSpec

from experiments.problems import Problem, ProblemsError

MAX_BYTES: Final = 300 * 1024 * 1024
MAX_FILES: Final = 2000
IGNORE_FILES: Final = (".amlignore", ".gitignore")
# Never part of a program: version control, caches, what editors leave.
ALWAYS_IGNORED: Final = (
    ".git/",
    ".hg/",
    ".svn/",
    "__pycache__/",
    "*.py[cod]",
    ".ipynb_checkpoints/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".DS_Store",
)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_BLOCK: Final = 1024 * 1024
_PATH: Final = "source_directory"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to submit: where it is, and its name with forward slashes in the snapshot."""

    path: Path
    name: str
    size_bytes: int
    is_executable: bool


def list_files(directory: Path, *, path: str = _PATH) -> list[SourceFile]:
    """Return the files of `directory` that belong to a snapshot, sorted by name.

    Raises:
        ProblemsError: no directory, nothing in it, too much in it, or links that lead out of it.
    """
    if not directory.is_dir():
        raise _error(path, f'"{directory}" is not a directory.')
    files: list[SourceFile] = []
    problems: list[Problem] = []
    total = 0
    for file in _walk(directory.resolve(), _ignore_rules(directory, path), problems, path):
        files.append(file)
        total += file.size_bytes
        if len(files) > MAX_FILES or total > MAX_BYTES:
            raise _error(path, _too_much(directory, len(files), total))
    if problems:
        raise ProblemsError(problems)
    if not files:
        raise _error(path, f'"{directory}" has no files to submit (or all of them are ignored).')
    return sorted(files, key=lambda file: file.name)


def write_zip(files: list[SourceFile], target: IO[bytes]) -> str:
    """Write the files to `target` and return the SHA-256 of the zip, hex.

    The same names and contents give the same bytes, whatever the times and the order on disk.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in files:
            info = zipfile.ZipInfo(file.name, date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix: the mode below means something
            info.external_attr = (stat.S_IFREG | (0o755 if file.is_executable else 0o644)) << 16
            with file.path.open("rb") as source, archive.open(info, "w") as entry:
                while block := source.read(_BLOCK):
                    entry.write(block)
    target.seek(0)
    return digest_of(target)


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
                problems.append(Problem(path, f"It has {len(entries)} files; {_LIMITS}"))
            problems += _duplicates(entries, path)
            if not entries:
                problems.append(Problem(path, "The zip has no files in it."))
            if problems:
                raise ProblemsError(problems)
            _read_through(archive, entries, path)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise _error(path, f"This is not a zip that can be read: {error}") from error
    return sorted(info.filename for info in entries)


def digest_of(source: IO[bytes]) -> str:
    """Return the SHA-256 of a file from where it stands, hex."""
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


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


_LIMITS: Final = (
    f"at most {MAX_FILES} files and {MAX_BYTES // 1024**2} MB are allowed. "
    "List what the script does not need in .amlignore."
)


def _error(path: str, message: str) -> ProblemsError:
    return ProblemsError([Problem(path, message)])


def _too_much(directory: Path, count: int, total: int) -> str:
    what = f"more than {MAX_FILES} files" if count > MAX_FILES else f"{total / 1024**2:.0f} MB"
    return f'"{directory}" has {what}; {_LIMITS}'


def _ignore_rules(directory: Path, path: str) -> GitIgnoreSpec:
    found = next((n for n in IGNORE_FILES if (directory / n).is_file()), None)
    lines = (directory / found).read_text("utf-8", "replace").splitlines() if found else []
    try:
        return GitIgnoreSpec.from_lines([*ALWAYS_IGNORED, *lines])
    except ValueError as error:
        raise _error(path, f"{found} has a line that is no pattern: {error}") from error


def _walk(
    root: Path, rules: GitIgnoreSpec, problems: list[Problem], path: str
) -> Iterator[SourceFile]:
    def note(error: OSError) -> None:
        problems.append(Problem(path, f'"{error.filename}" cannot be read: {error.strerror}.'))

    for folder, folders, names in os.walk(root, onerror=note):
        here = Path(folder)
        prefix = "" if here == root else here.relative_to(root).as_posix() + "/"
        kept = [name for name in sorted(folders) if not rules.match_file(f"{prefix}{name}/")]
        folders[:] = [name for name in kept if not _is_environment(here / name)]
        for name in [n for n in folders if (here / n).is_symlink()]:
            problems.append(_link_problem(path, prefix + name, "a directory"))
        for name in names:
            if rules.match_file(prefix + name):
                continue
            file = here / name
            if file.is_symlink() and not _stays_inside(file, root):
                problems.append(_link_problem(path, prefix + name, "a file outside of it"))
            elif not os.access(file, os.R_OK):
                problems.append(Problem(path, f'"{prefix}{name}" cannot be read.'))
            elif file.is_file():  # sockets and pipes are no files
                status = file.stat()
                executable = bool(status.st_mode & stat.S_IXUSR)
                yield SourceFile(file, prefix + name, status.st_size, executable)


def _is_environment(folder: Path) -> bool:
    # A virtual environment beside the script has thousands of files and belongs to no snapshot.
    return (folder / "pyvenv.cfg").is_file()


def _stays_inside(link: Path, root: Path) -> bool:
    target = link.resolve()
    return target.is_relative_to(root) and target.is_file()


def _link_problem(path: str, name: str, to: str) -> Problem:
    return Problem(
        path,
        f'"{name}" is a link to {to}, which is not followed. Copy it or list it in .amlignore.',
    )


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
                    raise _error(path, f"Its files are larger than {_LIMITS}")
