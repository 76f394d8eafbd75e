"""Keep snapshots of source directories: one zip in the storage per content, one row per zip."""

from __future__ import annotations

import secrets
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from django.conf import settings
from django.db import transaction

from experiments import clock
from experiments.models import Snapshot, Workspace
from experiments.problems import Problem, ProblemsError
from experiments.services.quotas import check_storage
from experiments.snapshot_rules import MAX_BYTES, check_zip, digest_of, list_files, write_zip
from experiments.storage.base import NO_TICK, Storage
from experiments.storage.chosen import storage
from experiments.storage.trees import Source, StorageFile, download

_BLOCK: Final = 1024 * 1024
_OVERHEAD: Final = 16 * 1024 * 1024


def snapshot_directory(path: Path, *, workspace: Workspace) -> Snapshot:
    """Store a source directory for a workspace; the same content is stored once.

    Raises:
        ProblemsError: the directory cannot be submitted.
    """
    files = list_files(path)
    with _incoming() as incoming:
        digest = write_zip(files, incoming)
        return _keep(incoming, digest, len(files), workspace)


def snapshot_zip(fileobj: IO[bytes], *, workspace: Workspace) -> Snapshot:
    """Store an uploaded zip under the hash of its bytes, after reading all of it as a check.

    Raises:
        ProblemsError: it is no zip, is not safe to unpack, or is too large.
    """
    with _incoming() as incoming:
        _copy_limited(fileobj, incoming)
        incoming.seek(0)
        names = check_zip(incoming)
        incoming.seek(0)
        return _keep(incoming, digest_of(incoming), len(names), workspace)


def snapshot_path(snapshot: Snapshot) -> Path:
    """Return where the zip of a snapshot is on this machine; see `path_of_digest`."""
    return path_of_digest(snapshot.digest)


def path_of_digest(digest: str, tick: Callable[[], None] = NO_TICK) -> Path:
    """Return where the zip with this SHA-256 is on this machine.

    From a bucket it is fetched once, verified and kept. A folder has it in place, or not.

    Raises:
        OSError: it cannot be fetched.
    """
    name = snapshot_name(digest)
    store = storage()
    if store.is_local:
        return Path(settings.STUDIO_STORAGE_ROOT) / name
    cached = cached_path(digest)
    if not cached.exists():
        incoming = cached.with_suffix(f".{secrets.token_hex(8)}.part")
        try:
            download(StorageFile(store, store.stat(name)), incoming, digest=digest, tick=tick)
            incoming.replace(cached)
        finally:
            incoming.unlink(missing_ok=True)
    return cached


def snapshot_name(digest: str) -> str:
    """Return the name of a snapshot in the storage."""
    return f"snapshots/{digest[:2]}/{digest}.zip"


def snapshot_source(snapshot: Snapshot) -> Source:
    """Return the zip of a snapshot as a file to be sent.

    Raises:
        FileNotFoundError: it is gone.
    """
    store = storage()
    return StorageFile(store, store.stat(snapshot_name(snapshot.digest)))


def cached_path(digest: str) -> Path:
    """Return where a machine keeps a snapshot that it has fetched."""
    return Path(settings.STUDIO_HOME) / "cache" / "snapshots" / f"{digest}.zip"


def file_names(snapshot: Snapshot) -> list[str]:
    """Return the names of all files in a snapshot, sorted."""
    with zipfile.ZipFile(snapshot_path(snapshot)) as archive:
        return sorted(info.filename for info in archive.infolist() if not info.is_dir())


def script_names(snapshot: Snapshot) -> list[str]:
    """Return the Python files in a snapshot, sorted: what `script` may name."""
    return [name for name in file_names(snapshot) if name.endswith(".py")]


def _copy_limited(source: IO[bytes], target: IO[bytes]) -> None:
    size = 0
    while block := source.read(_BLOCK):
        size += len(block)
        # A zip is hardly larger than its files; whatever is, must not fill the disk first.
        if size > MAX_BYTES + _OVERHEAD:
            megabytes = MAX_BYTES // 1024**2
            text = f"The upload is larger than {megabytes} MB, the most a snapshot may have."
            raise ProblemsError([Problem("snapshot", text)])
        target.write(block)


@contextmanager
def _incoming() -> Iterator[IO[bytes]]:
    # In the storage itself, so that the finished file can be renamed into place.
    folder = Path(settings.STUDIO_STORAGE_ROOT) / "snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="incoming-", delete=False) as file:
        try:
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


def _keep(incoming: IO[bytes], digest: str, file_count: int, workspace: Workspace) -> Snapshot:
    incoming.flush()
    source, name, store = Path(incoming.name), snapshot_name(digest), storage()
    size, now = source.stat().st_size, clock.now()
    is_there = Snapshot.objects.filter(digest=digest, workspaces=workspace).exists()
    check_storage(workspace, 0 if is_there else size)
    if not store.is_local:
        # Before the transaction, which must wait for no network.
        _upload(store, name, source)
    with transaction.atomic():
        # The row first: a removal of unused snapshots holds it until the file is gone.
        snapshot, _ = Snapshot.objects.update_or_create(
            digest=digest,
            defaults={"used_at": now},
            create_defaults={"size_bytes": size, "file_count": file_count, "used_at": now},
        )
        snapshot.workspaces.add(workspace)
        if store.is_local and not _is_kept(store, name):
            store.put({name: source})
    if not store.is_local:
        # A removal may have come between the upload and the row.
        _upload(store, name, source)
        cached_path(digest).parent.mkdir(parents=True, exist_ok=True)
        source.replace(cached_path(digest))
    return snapshot


def _upload(store: Storage, name: str, source: Path) -> None:
    if not _is_kept(store, name):
        store.put({name: source})


def _is_kept(store: Storage, name: str) -> bool:
    try:
        store.stat(name)
    except FileNotFoundError:
        return False
    return True


def mark_used(snapshot: Snapshot) -> None:
    """Note that a snapshot is used; in a transaction, nothing removes it before the commit.

    Raises:
        ProblemsError: it was removed meanwhile, since nothing had used it for a day.
    """
    if not Snapshot.objects.filter(pk=snapshot.pk).update(used_at=clock.now()):
        text = f"The files {snapshot} were removed, as nothing used them; upload them again."
        raise ProblemsError([Problem("snapshot", text)])
