"""The storage of this studio: the one place that knows which one is in use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from experiments.storage.address import BucketAddress
from experiments.storage.base import Storage
from experiments.storage.folder import FolderStorage
from experiments.storage.trees import DiskTree, FileTree, NoTree, StoredTree


def storage() -> Storage:
    """Return the storage that STUDIO_STORAGE_URL names."""
    address = settings.STUDIO_STORAGE_BUCKET
    if address is None:
        return FolderStorage(Path(settings.STUDIO_STORAGE_ROOT))
    return _bucket(address)


def tree_of(directory: str) -> FileTree:
    """Return the files of a run by what its row says: a path of this machine, or a stored name."""
    if not directory:
        return NoTree()
    if Path(directory).is_absolute():
        return DiskTree(Path(directory))
    return StoredTree(storage(), directory)


@lru_cache(maxsize=4)
def _bucket(address: BucketAddress) -> Storage:
    # Imported when it is used: the library comes with an extra.
    from experiments.storage.s3 import BucketStorage  # noqa: PLC0415

    return BucketStorage(address)
