"""The directory of one run: a fresh copy of the code, outputs, logs, journal; and the client.

    code/            working directory of the script; removed when the run has ended
    outputs/ logs/   what is kept; logs/std_log.txt is standard output and error
    uploads/         what the script uploaded under other names
    metrics.jsonl    journal of reports        exit.json    how the command ended
    failed.json      what the script itself says about its failure
    left-out/        files beyond the most that a run keeps: no artifacts, and on no page
    resume-from/     outputs of the earlier run it goes on from; removed when the run has ended

Pure: knows paths and files, no database.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from runner.resume import remove_copy
from studio.sdk.uploads import FAILURE, UPLOADS

_SDK: Final = Path(__file__).resolve().parent.parent / "studio" / "sdk"
_COMPAT: Final = Path(__file__).with_name("compat")
KEPT: Final = ("outputs", "logs")
# Longer names than the database takes stay on disk, but are no artifacts.
_MAX_PATH: Final = 1000
_BLOCK: Final = 1 << 20
# More of them are no results but data: they belong into an archive.
MOST_FILES: Final = 100_000
LEFT_OUT: Final = "left-out"


@dataclass(frozen=True, slots=True)
class Workdir:
    """Where everything of one run is."""

    path: Path

    @property
    def code(self) -> Path:
        """Working directory of the script."""
        return self.path / "code"

    @property
    def std_log(self) -> Path:
        """Standard output and error of the script."""
        return self.path / "logs" / "std_log.txt"

    @property
    def journal(self) -> Path:
        """Journal of reports."""
        return self.path / "metrics.jsonl"

    @property
    def failure_file(self) -> Path:
        """What the script says with `Run.fail`."""
        return self.path / FAILURE

    @property
    def resumed(self) -> Path:
        """Copy of the outputs of the earlier run that it goes on from."""
        return self.path / "resume-from"

    @property
    def exit_file(self) -> Path:
        """What the guard leaves."""
        return self.path / "exit.json"


def prepare_workdir(path: Path, snapshot: Path) -> Workdir:
    """Make the directory of a run with a fresh copy of the snapshot; leftovers are removed.

    Raises:
        OSError: the disk does not take it.
        zipfile.BadZipFile: the snapshot is damaged.
    """
    workdir = Workdir(path)
    if path.exists():
        remove_copy(workdir.resumed)
        shutil.rmtree(path)
    for folder in (workdir.code, path / "logs", path / "outputs"):
        folder.mkdir(parents=True)
    _unpack(snapshot, workdir.code)
    (workdir.code / "outputs").mkdir(exist_ok=True)
    (workdir.code / "logs").mkdir(exist_ok=True)
    workdir.journal.touch(0o600)
    return workdir


def _unpack(snapshot: Path, target: Path) -> None:
    # The names were checked when the zip was stored; extract() refuses to leave `target` anyway.
    with zipfile.ZipFile(snapshot) as archive:
        for info in archive.infolist():
            written = Path(archive.extract(info, target))
            mode = info.external_attr >> 16
            if mode & stat.S_IXUSR and written.is_file():
                written.chmod(0o755)


def keep_files(workdir: Workdir) -> None:
    """Move what the script wrote to ./outputs and ./logs to where it is kept; remove the rest.

    Links are dropped, so that nothing outside of the directory can be read through them. Doing it
    again continues where a failure stopped it.
    """
    for name in KEPT:
        _move_tree(workdir.code / name, workdir.path / name)
    remove_copy(workdir.resumed)
    shutil.rmtree(workdir.code, ignore_errors=True)


@dataclass(frozen=True, slots=True, order=True)
class KeptFile:
    """A kept file: its name in the tree of the run, size in bytes, SHA-256, where it is."""

    path: str
    size: int
    digest: str
    place: Path


def list_kept(workdir: Workdir, tick: Callable[[], None]) -> list[KeptFile]:
    """Return each kept file, sorted by name; calls `tick` between the blocks."""
    found = []
    for tree, root in _trees(workdir):
        for path in regular_files(tree):
            relative = path.relative_to(root)
            if len(str(relative)) <= _MAX_PATH and relative == _readable(relative):
                size = path.stat().st_size
                found.append(KeptFile(relative.as_posix(), size, digest_of(path, tick), path))
    return sorted(found)


def leave_out(workdir: Workdir, most: int, tick: Callable[[], None]) -> int:
    """Move files beyond so many aside, logs last; return how many. Calls `tick` between them."""
    count = sum(1 for tree, _ in _trees(workdir) for _path in regular_files(tree))
    if count <= most:
        return 0
    logs = workdir.path / "logs"
    every = [path for tree, _ in _trees(workdir) for path in regular_files(tree)]
    every.sort(key=lambda path: (not path.is_relative_to(logs), path))
    for path in every[most:]:
        aside = workdir.path / LEFT_OUT / path.relative_to(workdir.path)
        aside.parent.mkdir(parents=True, exist_ok=True)
        path.replace(aside)
        tick()
    return len(every) - most


def _trees(workdir: Workdir) -> list[tuple[Path, Path]]:
    """Return where kept files are, and the folders that their names begin in."""
    uploads = workdir.path / UPLOADS
    trees = [(workdir.path / name, workdir.path) for name in KEPT]
    return trees + ([] if uploads.is_symlink() else [(uploads, uploads)])


def _move_tree(source: Path, target: Path) -> None:
    if source.is_symlink() or not source.is_dir():
        return
    for path in list(regular_files(source)):
        kept = _free_name(target / _readable(path.relative_to(source)))
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.replace(kept)


def _readable(path: Path) -> Path:
    """Return a name that is text: any bytes can be the name of a file, but not of an artifact."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return Path("".join(c if c >= " " else "\N{REPLACEMENT CHARACTER}" for c in text))


def _free_name(path: Path) -> Path:
    # A script's own logs/std_log.txt does not replace ours.
    kept, number = path, 1
    while kept.exists():
        prefix = "script-" if number == 1 else f"script-{number}-"
        kept, number = path.with_name(prefix + path.name), number + 1
    return kept


def regular_files(root: Path) -> Iterator[Path]:
    """Yield every file below a folder that is no link, in no order; an absent folder has none."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def digest_of(path: Path, tick: Callable[[], None] = lambda: None) -> str:
    """Return the SHA-256 of a file in hex; calls `tick` between the blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            tick()
    return digest.hexdigest()


def tree_bytes(root: Path) -> int:
    """Return the size of all regular files below a folder; files that vanish meanwhile are 0."""
    total = 0
    for path in regular_files(root):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def client_directory(home: Path) -> Path:
    """Return a folder that holds the script-side client of this version, made once.

    Its name is the hash of its content, so a run keeps the client it was started with.
    """
    target = home / "client" / _client_digest()
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming = Path(tempfile.mkdtemp(dir=target.parent))
        incoming.chmod(0o755)
        _copy_client(incoming)
        try:
            incoming.rename(target)
        except OSError:  # another worker was faster
            shutil.rmtree(incoming)
    return target


@lru_cache(maxsize=1)
def _client_digest() -> str:
    """Return the hash of the client that this process has loaded itself; read once."""
    digest = hashlib.sha256()
    for file in sorted(_SDK.rglob("*.py")) + sorted(_COMPAT.rglob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _copy_client(target: Path) -> None:
    shutil.copytree(_SDK, target / "studio" / "sdk", ignore=shutil.ignore_patterns("__pycache__"))
    (target / "studio" / "__init__.py").touch()
    shutil.copytree(_COMPAT, target / "compat", ignore=shutil.ignore_patterns("__pycache__"))
    (target / "compat" / "__init__.py").unlink()
