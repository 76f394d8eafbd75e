"""What nothing refers to any more: snapshots without a user, files in the storage without a row.

Both get a day of grace: an upload, a submission or a copy that is under way looks the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from experiments import clock
from experiments.models import ModelVersion, Removal, Run, Snapshot, Sweep
from experiments.services.removed_files import remove_trees, storage_root
from experiments.services.snapshots import cached_path, snapshot_name
from experiments.storage.base import Storage, StoredFile
from experiments.storage.chosen import storage
from experiments.storage.folder import FolderStorage

SNAPSHOT_GRACE: Final = timedelta(days=1)
_FILE_GRACE: Final = 24 * 3600.0
_KINDS: Final = ("runs", "snapshots", "models")
_VERSION: Final = ("model_id", "folder")
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True, order=True)
class Leftover:
    """A file or a folder that no row knows; `path` is relative to the storage.

    `place` is "storage", or "disk" for what lies on this machine where the storage is a bucket.
    """

    path: str
    size_bytes: int
    why: str
    place: str = "storage"


def unused_snapshots(before: datetime) -> QuerySet[Snapshot]:
    """Return the snapshots that no sweep, check or model has, and nobody has used since then."""
    return Snapshot.objects.filter(
        ~Exists(Sweep.objects.filter(snapshot=OuterRef("pk"))),
        ~Exists(ModelVersion.objects.filter(snapshot_digest=OuterRef("digest"))),
        used_at__lt=before,
    )


def remove_unused_snapshots(before: datetime, *, seconds: float = _NEVER) -> tuple[int, int]:
    """Remove such snapshots with their files; return how many, and the bytes that are free now."""
    until = time.monotonic() + seconds
    count = freed = 0
    for pk in unused_snapshots(before).order_by("pk").values_list("pk", flat=True):
        size = _remove_snapshot(pk, before)
        count += size is not None
        freed += size or 0
        if time.monotonic() >= until:
            break
    if count:
        _note(Removal.Kind.SNAPSHOT, _counted(count, "unused snapshot"), freed)
    return count, freed


def find_leftovers() -> list[Leftover]:
    """Return what lies in the storage without a row, by path; what is younger than a day is not."""
    known = _Known()
    places = {"storage": storage()}
    if not storage().is_local:
        places["disk"] = FolderStorage(storage_root())  # runs execute there all the same
    return [
        leftover
        for place, store in places.items()
        for leftover in sorted(_without_row(place, store, known))
    ]


def remove_leftovers(leftovers: Iterable[Leftover]) -> int:
    """Remove what was found; return the bytes that are free now.

    Raises:
        OSError: something cannot be removed; what comes before it is gone.
    """
    # A row may have come since: only what is still without one is removed.
    still = {(one.place, one.path) for one in find_leftovers()}
    chosen = [one for one in leftovers if (one.place, one.path) in still]
    freed = 0
    for one in chosen:
        if one.place == "disk" or storage().is_local:
            removed = remove_trees([storage_root() / one.path], until=_NEVER)
            freed += removed.freed_bytes
            if removed.problem is not None:
                raise removed.problem
        else:
            freed += storage().delete(one.path)
            freed += storage().delete_tree(one.path).freed_bytes
    if chosen:
        _note(Removal.Kind.LEFTOVERS, _counted(len(chosen), "leftover"), freed)
    return freed


def _remove_snapshot(pk: int, before: datetime) -> int | None:
    """Remove one snapshot; None when somebody uses it by now."""
    digest = Snapshot.objects.filter(pk=pk).values_list("digest", flat=True).first() or ""
    with suppress(FileNotFoundError):
        # A storage that is away must not be waited for inside the transaction.
        storage().stat(snapshot_name(digest))
    with transaction.atomic():
        # The row is locked first: an upload of the same content waits here, and then puts its
        # file in place again.
        row = Snapshot.objects.select_for_update().filter(pk=pk).first()
        if row is None or not unused_snapshots(before).filter(pk=pk).exists():
            return None
        row.delete()
        cached_path(row.digest).unlink(missing_ok=True)
        return storage().delete(snapshot_name(row.digest))


class _Known:
    """What rows there are, by the names that their files have."""

    def __init__(self) -> None:
        self.snapshots = set(Snapshot.objects.values_list("digest", flat=True))
        self.versions = {
            f"{model}/{folder}" for model, folder in ModelVersion.objects.values_list(*_VERSION)
        }
        self.sweeps = set(Sweep.objects.values_list("public_id", flat=True))
        self.runs = set(Run.objects.values_list("public_id", flat=True))

    def fault(self, parts: list[str]) -> tuple[int, str]:
        """Return how many parts of a name are without a row, and why; 0 when all is well."""
        kind = parts[0]
        if kind == "snapshots":
            if parts[1].startswith("incoming-"):
                return 2, "an upload that never ended"
            is_known = Path(parts[-1]).stem in self.snapshots
            return (0, "") if is_known else (len(parts), "no such snapshot")
        if kind == "models" and len(parts) > 3:
            if parts[1] == "incoming":
                return 3, "a copy that never ended"
            is_known = f"{parts[1]}/{parts[2]}" in self.versions
            return (0, "") if is_known else (3, "no such version of a model")
        if kind == "runs" and len(parts) > 3:
            if parts[1] not in self.sweeps:
                return 2, "no such sweep"
            # `<number>` or, of a later attempt, `<number>-<fence>`.
            is_known = f"{parts[1]}_{parts[2].partition('-')[0]}" in self.runs
            return (0, "") if is_known else (3, "no such run")
        return 0, ""


def _without_row(place: str, store: Storage, known: _Known) -> Iterator[Leftover]:
    found: dict[tuple[str, str], list[StoredFile]] = {}
    for kind in _KINDS:
        for file in store.files(kind):
            parts = file.name.split("/")
            depth, why = known.fault(parts)
            if depth:
                found.setdefault(("/".join(parts[:depth]), why), []).append(file)
    newest = time.time() - _FILE_GRACE
    for (path, why), files in found.items():
        if max(file.modified for file in files) < newest:
            yield Leftover(path, sum(file.size for file in files), why, place)


def _note(kind: Removal.Kind, name: str, freed: int) -> None:
    now = clock.now()
    Removal.objects.create(
        kind=kind, name=name, freed_bytes=freed, requested_at=now, finished_at=now
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
