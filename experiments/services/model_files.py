"""The files of registered models in the storage: copied whole or not at all, removed whole.

    models/incoming/<folder>/      a copy that is being made, on the disk of this machine
    models/<model>/<folder>/       the files of one version, read-only

Which folders belong to a version is said by the rows, which services.models writes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from django.conf import settings

from experiments.models import ModelVersion
from experiments.problems import Problem, ProblemsError
from experiments.storable import is_storable
from experiments.storage.base import StorageError, StoredFile
from experiments.storage.chosen import storage
from experiments.storage.trees import FileTree, Source, StorageFile

MAX_FILES: Final = 10_000
_MAX_PATH: Final = 1000
# A copy of many gigabytes takes its time; one of yesterday has lost its process.
_LEFT_AFTER: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file of a run that is to be kept under `name`."""

    name: str
    source: Source
    # What it must have, where that is known.
    digest: str = ""


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file as it was written: its size in bytes and its SHA-256."""

    name: str
    size_bytes: int
    digest: str


def choose_files(
    tree: FileTree, path: str, *, digests: Mapping[str, str]
) -> tuple[list[Chosen], bool]:
    """Return what `path` of a run's tree stands for, and whether it is a folder.

    Names are relative to the folder; a single file keeps its own name. `digests` has the SHA-256
    that files of the tree must have.

    Raises:
        ProblemsError: there is nothing, too much, or a name that cannot be kept.
    """
    wanted = path.strip().strip("/")
    files = {file.path for file in tree.files()}
    is_folder = wanted not in files
    if not is_folder:
        names = {PurePosixPath(wanted).name: wanted}
    else:
        below = f"{wanted}/"
        names = {name.removeprefix(below): name for name in sorted(files) if name.startswith(below)}
    problem = _problem_of(wanted, names, files)
    if problem:
        raise ProblemsError([Problem("path", problem)])
    chosen = [
        Chosen(name, tree.find(whole), digests.get(whole, "")) for name, whole in names.items()
    ]
    return chosen, is_folder


def _problem_of(wanted: str, names: dict[str, str], files: set[str]) -> str:
    if not names:
        folders = sorted({name.split("/")[0] for name in files})
        known = f"it has {', '.join(folders[:10])}" if folders else "it has no files"
        shown = wanted if is_storable(wanted) else ascii(wanted)[1:-1]
        return f'The run has no file or folder "{shown}"; {known}.'
    if len(names) > MAX_FILES:
        return f'"{wanted}" has {len(names)} files; a model has at most {MAX_FILES}.'
    bad = next((n for n in names if len(n) > _MAX_PATH or not is_storable(n)), None)
    if bad is not None:
        return f"The file {bad[:80]!a} has a name that cannot be kept; rename it."
    return ""


@contextmanager
def copied(files: Iterable[Chosen], folder: str) -> Iterator[list[CopiedFile]]:
    """Copy files to a folder that only `keep_copy` makes one of a version; else it is removed.

    Raises:
        OSError: the disk does not take them, or one of them cannot be read.
    """
    incoming = _incoming(folder)
    try:
        yield [_copy(file, incoming) for file in files]
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def keep_copy(model_id: int, folder: str, files: Iterable[CopiedFile]) -> None:
    """Make a finished copy the files of a version: one rename, or an upload to the bucket.

    Raises:
        OSError: the storage does not take them; some of them may be there.
    """
    store, incoming = storage(), _incoming(folder)
    if not store.is_local:
        prefix = version_prefix(model_id, folder)
        store.put({f"{prefix}/{file.name}": incoming / file.name for file in files})
        return
    target = version_folder(model_id, folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    incoming.rename(target)


def version_prefix(model_id: int, folder: str) -> str:
    """Return the folder of the storage that has the files of a version."""
    return f"models/{model_id}/{folder}"


def version_folder(model_id: int, folder: str) -> Path:
    """Return where the files of a version are when the storage is a folder."""
    return _root() / str(model_id) / folder


def version_sources(version: ModelVersion) -> list[tuple[str, Source]]:
    """Return every file of a version with its name, by name."""
    names = version.files.order_by("path").values_list("path", "size_bytes")
    return [(name, _source(version, name, size)) for name, size in names]


def find_version_file(version: ModelVersion, path: str) -> Source:
    """Return one file of a version.

    Raises:
        FileNotFoundError: the version has no such file.
    """
    file = version.files.filter(path=path).first() if is_storable(path) else None
    if file is not None:
        name = f"{version_prefix(version.model_id, version.folder)}/{path}"
        return StorageFile(storage(), storage().stat(name))
    raise FileNotFoundError(f"{version} has no file '{path}'.")


def _source(version: ModelVersion, path: str, size: int) -> Source:
    # The rows know all that a listing would say.
    name = f"{version_prefix(version.model_id, version.folder)}/{path}"
    return StorageFile(storage(), StoredFile(name, size, version.created_at.timestamp()))


def remove_version(model_id: int, folder: str) -> None:
    """Remove the files of a version; no half of them is ever seen."""
    store = storage()
    if not store.is_local:
        store.delete_tree(version_prefix(model_id, folder))
        return
    leaving = _incoming(f"{folder}-removed")
    leaving.parent.mkdir(parents=True, exist_ok=True)
    try:
        version_folder(model_id, folder).rename(leaving)
    except FileNotFoundError:
        return
    shutil.rmtree(leaving, ignore_errors=True)


def remove_leftovers(model_id: int, known: Iterable[str]) -> None:
    """Remove what a process that was killed has left: copies nobody finished, folders unknown."""
    kept = set(known)
    oldest = time.time() - _LEFT_AFTER
    for parent, spared in ((_root() / "incoming", set()), (_root() / str(model_id), kept)):
        for entry in list(parent.iterdir()) if parent.is_dir() else ():
            with suppress(FileNotFoundError):  # whoever copies at the same time has finished it
                if entry.name not in spared and entry.stat().st_mtime < oldest:
                    shutil.rmtree(entry, ignore_errors=True)


def _copy(file: Chosen, incoming: Path) -> CopiedFile:
    target = incoming / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as copy:
        for block in file.source.blocks():
            copy.write(block)
            digest.update(block)
            size += len(block)
        copy.flush()
        # The row that says the files are there is durable, so they must be.
        os.fsync(copy.fileno())
    if file.digest and digest.hexdigest() != file.digest:
        raise StorageError(f"'{file.name}' is damaged in the storage: it has another SHA-256")
    target.chmod(0o444)
    return CopiedFile(file.name, size, digest.hexdigest())


def _root() -> Path:
    return Path(settings.STUDIO_STORAGE_ROOT) / "models"


def _incoming(folder: str) -> Path:
    return _root() / "incoming" / folder
