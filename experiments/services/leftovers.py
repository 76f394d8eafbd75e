"""What nothing refers to any more: snapshots without a user, files in the storage without a row.

Both get a day of grace: an upload, a submission or a copy that is under way looks the same.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from experiments import clock
from experiments.models import ModelVersion, Removal, Run, Snapshot, Sweep
from experiments.services.removed_files import remove_trees, storage_root, tree_size
from experiments.services.snapshots import path_of_digest

SNAPSHOT_GRACE: Final = timedelta(days=1)
_FILE_GRACE: Final = 24 * 3600.0
# `<number>` or, of a later attempt, `<number>-<fence>`.
_ATTEMPT: Final = re.compile(r"(\d{1,9})(-\d+)?")
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file or a folder of the storage that no row knows; `path` is relative to the storage."""

    path: str
    size_bytes: int
    why: str


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
    newest = time.time() - _FILE_GRACE
    found = [*_runs_without_row(), *_snapshots_without_row(), *_models_without_row()]
    return [
        Leftover(path.relative_to(storage_root()).as_posix(), tree_size(path), why)
        for path, why in sorted(found)
        if _age(path) < newest
    ]


def remove_leftovers(leftovers: Iterable[Leftover]) -> int:
    """Remove what was found; return the bytes that are free now.

    Raises:
        OSError: something cannot be removed; what comes before it is gone.
    """
    # A row may have come since: only what is still without one is removed.
    still = {one.path for one in find_leftovers()}
    chosen = [one.path for one in leftovers if one.path in still]
    removed = remove_trees((storage_root() / path for path in chosen), until=_NEVER)
    if chosen:
        _note(Removal.Kind.LEFTOVERS, _counted(len(chosen), "leftover"), removed.freed_bytes)
    return removed.freed_bytes


def _remove_snapshot(pk: int, before: datetime) -> int | None:
    """Remove one snapshot; None when somebody uses it by now."""
    with transaction.atomic():
        # The row is locked first: an upload of the same content waits here, and then puts its
        # file in place again.
        row = Snapshot.objects.select_for_update().filter(pk=pk).first()
        if row is None or not unused_snapshots(before).filter(pk=pk).exists():
            return None
        path = path_of_digest(row.digest)
        row.delete()
        return remove_trees([path], until=_NEVER).freed_bytes


def _runs_without_row() -> Iterator[tuple[Path, str]]:
    for folder in _folders(storage_root() / "runs"):
        sweep = Sweep.objects.filter(public_id=folder.name).first()
        if sweep is None:
            yield folder, "no such sweep"
            continue
        numbers = set(Run.objects.filter(sweep=sweep).values_list("number", flat=True))
        for attempt in _folders(folder):
            match = _ATTEMPT.fullmatch(attempt.name)
            if match is None or int(match[1]) not in numbers:
                yield attempt, "no such run"


def _snapshots_without_row() -> Iterator[tuple[Path, str]]:
    root = storage_root() / "snapshots"
    for path in root.glob("incoming-*"):
        yield path, "an upload that never ended"
    known = set(Snapshot.objects.values_list("digest", flat=True))
    for path in root.glob("*/*.zip"):
        if path.stem not in known:
            yield path, "no such snapshot"


def _models_without_row() -> Iterator[tuple[Path, str]]:
    root = storage_root() / "models"
    known = {(str(m), f) for m, f in ModelVersion.objects.values_list("model_id", "folder")}
    for model in _folders(root):
        for folder in _folders(model):
            if model.name == "incoming":
                yield folder, "a copy that never ended"
            elif (model.name, folder.name) not in known:
                yield folder, "no such version of a model"


def _folders(root: Path) -> list[Path]:
    try:
        with os.scandir(root) as entries:
            return [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _age(path: Path) -> float:
    """Return when something in a folder changed last, two levels deep; Unix seconds."""
    try:
        places = [path, *_folders(path)]
        return max(place.lstat().st_mtime for place in places)
    except OSError:
        return _NEVER


def _note(kind: Removal.Kind, name: str, freed: int) -> None:
    now = clock.now()
    Removal.objects.create(
        kind=kind, name=name, freed_bytes=freed, requested_at=now, finished_at=now
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
