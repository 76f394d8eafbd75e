"""Which files of a source directory are submitted, and how they become one zip.

The one implementation: the studio, the command line and the SDK use it. `.amlignore` beats
`.gitignore` (same syntax, read from the top of the directory). Standard library only; Python 3.8
syntax. Only reads what it is given.
"""

import hashlib
import os
import stat
import zipfile
from pathlib import Path
from typing import IO, Iterator, List, NamedTuple

from studio.sdk.ignore_rules import IgnoreRules

MAX_BYTES = 300 * 1024 * 1024
MAX_FILES = 2000
IGNORE_FILES = (".amlignore", ".gitignore")
# Never part of a program: version control, caches, what editors leave.
ALWAYS_IGNORED = (
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
LIMITS = (
    "at most %d files and %d MB are allowed. List what the script does not need in .amlignore."
    % (MAX_FILES, MAX_BYTES // 1024**2)
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_BLOCK = 1024 * 1024


class SourceDirectoryError(Exception):
    """A directory cannot be submitted; `messages` are all the reasons that were found."""

    def __init__(self, messages: List[str]) -> None:
        self.messages = messages
        super().__init__("\n".join(messages))


class SourceFile(NamedTuple):
    """One file to submit: where it is, and its name with forward slashes in the snapshot."""

    path: Path
    name: str
    size_bytes: int
    is_executable: bool


def list_source_files(directory: Path) -> List[SourceFile]:
    """Return the files of `directory` that belong to a snapshot, sorted by name.

    Raises:
        SourceDirectoryError: no directory, nothing in it, too much in it, or links that lead out
            of it.
    """
    if not directory.is_dir():
        raise SourceDirectoryError(['"%s" is not a directory.' % directory])
    files: List[SourceFile] = []
    problems: List[str] = []
    total = 0
    for file in _walk(directory.resolve(), _ignore_rules(directory), problems):
        files.append(file)
        total += file.size_bytes
        if len(files) > MAX_FILES or total > MAX_BYTES:
            raise SourceDirectoryError([_too_much(directory, len(files), total)])
    if problems:
        raise SourceDirectoryError(problems)
    if not files:
        text = '"%s" has no files to submit (or all of them are ignored).'
        raise SourceDirectoryError([text % directory])
    return sorted(files, key=lambda file: file.name)


def write_zip(files: List[SourceFile], target: IO[bytes]) -> str:
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
                for block in _blocks(source):
                    entry.write(block)
    target.seek(0)
    return digest_of(target)


def digest_of(source: IO[bytes]) -> str:
    """Return the SHA-256 of a file from where it stands, hex."""
    digest = hashlib.sha256()
    for block in _blocks(source):
        digest.update(block)
    return digest.hexdigest()


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while True:
        block = source.read(_BLOCK)
        if not block:
            return
        yield block


def _too_much(directory: Path, count: int, total: int) -> str:
    what = "%d MB" % (total / 1024**2)
    if count > MAX_FILES:
        what = "more than %d files" % MAX_FILES
    return '"%s" has %s; %s' % (directory, what, LIMITS)


def _ignore_rules(directory: Path) -> IgnoreRules:
    for name in IGNORE_FILES:
        if (directory / name).is_file():
            text = (directory / name).read_text("utf-8", "replace")
            return IgnoreRules([*ALWAYS_IGNORED, *text.splitlines()])
    return IgnoreRules(ALWAYS_IGNORED)


def _walk(root: Path, rules: IgnoreRules, problems: List[str]) -> Iterator[SourceFile]:
    def note(error: OSError) -> None:
        problems.append('"%s" cannot be read: %s.' % (error.filename, error.strerror))

    for folder, folders, names in os.walk(str(root), onerror=note):
        here = Path(folder)
        prefix = "" if here == root else here.relative_to(root).as_posix() + "/"
        folders[:] = [
            name
            for name in sorted(folders)
            if not rules.is_ignored(prefix + name, is_folder=True)
            and not _is_environment(here / name)
        ]
        for name in folders:
            if (here / name).is_symlink():
                problems.append(_link_problem(prefix + name, "a directory"))
        for name in names:
            if not rules.is_ignored(prefix + name, is_folder=False):
                yield from _source_file(here / name, prefix + name, root, problems)


def _source_file(file: Path, name: str, root: Path, problems: List[str]) -> Iterator[SourceFile]:
    if file.is_symlink() and not _stays_inside(file, root):
        problems.append(_link_problem(name, "a file outside of it"))
    elif not os.access(str(file), os.R_OK):
        problems.append('"%s" cannot be read.' % name)
    elif file.is_file():  # sockets and pipes are no files
        status = file.stat()
        yield SourceFile(file, name, status.st_size, bool(status.st_mode & stat.S_IXUSR))


def _is_environment(folder: Path) -> bool:
    # A virtual environment beside the script has thousands of files and belongs to no snapshot.
    return (folder / "pyvenv.cfg").is_file()


def _stays_inside(link: Path, root: Path) -> bool:
    target = link.resolve()
    return root in target.parents and target.is_file()


def _link_problem(name: str, to: str) -> str:
    text = '"%s" is a link to %s, which is not followed. Copy it or list it in .amlignore.'
    return text % (name, to)
