"""Files of runs that execute on other machines: received in blocks, checked, put in place.

A whole file is collected under its SHA-256 beside the run's files and moved into place once its
content has that hash, so that nothing half-made is ever seen. A log is appended to while it grows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Final

from django.conf import settings

from experiments.models import ComputeTarget, Run
from experiments.problems import Problem, ProblemsError
from experiments.services.posted_reports import POSTED
from experiments.services.storage import run_directory
from experiments.services.transitions import StaleState
from experiments.services.uploaded_files import uploaded_names
from experiments.storage.chosen import storage, tree_of
from experiments.storage.trees import Source
from runner.workdir import MOST_FILES

MAX_BLOCK: Final = 16 * 1024 * 1024
_TREES: Final = frozenset({"outputs", "logs", "uploads"})
_INCOMING: Final = "incoming"
_COPY: Final = 1 << 20
_MAX_PATH: Final = 1100


def run_of_compute(compute: ComputeTarget, public_id: str, fence: int) -> Run:
    """Return an attempt at a run that executes on a compute target, also after its end.

    Raises:
        Run.DoesNotExist: there is none, or it is another target's.
        StaleState: the run belongs to another attempt by now.
    """
    runs = Run.objects.select_related("sweep", "resumption__source")
    run = runs.get(public_id=public_id, sweep__compute=compute)
    if run.fence != fence:
        raise StaleState(f"The run belongs to attempt {run.fence}, not to {fence}.")
    return run


def open_directory(run: Run) -> Path:
    """Make the directory that the files of an attempt are received in, and return it."""
    folder = _directory(run)
    for name in ("logs", "outputs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / POSTED).touch(0o600)
    return folder


def received(run: Run, path: str, digest: str) -> tuple[int, bool]:
    """Return how many bytes of a file have come, and whether it is in place with this content."""
    target = _target(run, path)
    if target.is_file() and _digest(target) == digest:
        return target.stat().st_size, True
    incoming = _incoming(run, digest)
    return (incoming.stat().st_size if incoming.exists() else 0), False


def receive(run: Run, path: str, digest: str, *, offset: int, size: int, block: IO[bytes]) -> int:
    """Append a block of a file of `size` bytes; put the file in place when it is whole.

    Returns the bytes that have come; the sender goes on from there.

    Raises:
        ProblemsError: the name leads elsewhere, the content has another hash, or there is no room.
    """
    target, incoming = _target(run, path), _incoming(run, digest)
    incoming.parent.mkdir(parents=True, exist_ok=True)
    known = incoming.stat().st_size if incoming.exists() else 0
    if offset > known:
        return known
    # What is announced is a promise: what has come of all files is counted with every block.
    _check_room(run, max(0, size - known) if offset == 0 else _length(block))
    come = _write(incoming, offset, block)
    if come < size:
        return come
    if come > size or _digest(incoming) != digest:
        incoming.unlink()
        raise _refuse(f"The content of '{path}' has not the hash that was announced.")
    target.parent.mkdir(parents=True, exist_ok=True)
    incoming.replace(target)
    with suppress(OSError):  # other files are still coming
        incoming.parent.rmdir()
    return size


def append_log(run: Run, path: str, *, offset: int, block: IO[bytes]) -> int:
    """Write a block of a growing log at `offset`, what stood behind it is cut; return its size.

    A sender that is further than the log hears how long the log is and goes on from there.
    """
    target = _target(run, path)
    if target.parts[len(_directory(run).parts)] != "logs":
        raise _refuse(f"'{path}' is no log; only logs are sent while they grow.")
    size = target.stat().st_size if target.exists() else 0
    if offset > size:
        return size
    if offset > 2 * settings.STUDIO_MAX_LOG_BYTES:
        raise _refuse(f"The log '{path}' is longer than {offset} bytes; it is cut there.")
    _check_room(run, _length(block))
    target.parent.mkdir(parents=True, exist_ok=True)
    return _write(target, offset, block)


def keep_only(run: Run, paths: Collection[str]) -> None:
    """Remove what was received and is not among the files that the run has left in the end."""
    folder = _directory(run)
    # What its script sent to the studio itself was never on that machine's disk.
    paths = {*paths, *uploaded_names(folder)}
    kept = {_target(run, path) for path in paths}
    for tree in sorted(_TREES):
        for place, _, names in os.walk(folder / tree):
            for path in (Path(place, name) for name in names):
                if path not in kept:
                    path.unlink()
    shutil.rmtree(folder / _INCOMING, ignore_errors=True)
    if run.directory and not Path(run.directory).is_absolute():
        _keep_only_stored(run.directory, set(paths))


def _keep_only_stored(prefix: str, paths: Collection[str]) -> None:
    """Remove the same from the bucket: a run that was lost had its files there by then."""
    for file in list(storage().files(prefix)):
        path = file.name.removeprefix(f"{prefix}/")
        if path.split("/")[0] in _TREES and path not in paths:
            storage().delete(file.name)


def earlier_outputs(run: Run) -> list[tuple[str, Source]]:
    """Return the outputs of the run that a run goes on from: name in ./outputs, and file."""
    source = run.resumption.source if run.resumption else None
    return list(tree_of(source.directory).outputs()) if source else []


def posted_reports(run: Run, offset: int, limit: int = _COPY) -> bytes:
    """Return the whole lines that came over HTTP for a run, from `offset` on."""
    try:
        with (_directory(run) / POSTED).open("rb") as file:
            file.seek(offset)
            raw = file.read(limit)
    except FileNotFoundError:
        return b""
    return raw[: raw.rfind(b"\n") + 1]


def _directory(run: Run) -> Path:
    return run_directory(run.sweep.public_id, run.number, run.fence)


def _target(run: Run, path: str) -> Path:
    parts = PurePosixPath(path).parts
    is_safe = len(parts) > 1 and parts[0] in _TREES and ".." not in parts and "\0" not in path
    if not is_safe or len(path) > _MAX_PATH:
        allowed = ", ".join(f"{name}/..." for name in sorted(_TREES))
        raise _refuse(f"'{path[:80]}' is no file of a run; use {allowed}.")
    folder = _directory(run)
    target = folder.joinpath(*parts)
    # A link that lies in the folder must lead no block elsewhere.
    if target.is_symlink() or not target.resolve().is_relative_to(folder.resolve()):
        raise _refuse(f"'{path[:80]}' is a link, or below one.")
    return target


def _incoming(run: Run, digest: str) -> Path:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise _refuse(f"'{digest[:80]}' is no SHA-256; it has 64 digits of 0-9 and a-f.")
    return _directory(run) / _INCOMING / digest


def _check_room(run: Run, more: int) -> None:
    """Refuse more bytes than a run may have, those of files that are still coming included."""
    limit = settings.STUDIO_MAX_OUTPUT_BYTES + 2 * settings.STUDIO_MAX_LOG_BYTES
    total, count = more, 0
    for place, _, names in os.walk(_directory(run)):
        count += len(names)
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(place, name).lstat().st_size
    if total > limit:
        raise _refuse(f"The files of this run are larger than the limit of {limit} bytes.")
    if count > MOST_FILES:
        raise _refuse(f"The run has more than {MOST_FILES} files; put them into an archive.")


def _length(block: IO[bytes]) -> int:
    size = block.seek(0, os.SEEK_END)
    block.seek(0)
    return size


def _write(path: Path, offset: int, block: IO[bytes]) -> int:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.seek(offset)
        while piece := block.read(_COPY):
            file.write(piece)
        return file.truncate()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse(text: str) -> ProblemsError:
    return ProblemsError([Problem("path", text)])
