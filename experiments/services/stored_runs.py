"""Bring the files of an ended run from the disk to the storage, where that is a bucket.

While a run executes, and until this is done, its files are in its directory on the studio's disk;
its row says where they are. Doing it again is harmless, and what fails leaves everything as it was.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import Q

from experiments.models import Artifact, Event, Run
from experiments.services.events import append_event
from experiments.states import RUN_TERMINAL
from experiments.storage.base import NO_TICK
from experiments.storage.chosen import storage

# What is kept of a directory; the rest was needed by the executor alone.
_TREES: Final = ("outputs", "logs", "uploads")
_JOURNAL: Final = "metrics.jsonl"
# `<number>` or, of a later attempt, `<number>-<fence>`.
_ATTEMPT: Final = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
# Nothing is taken from under a removal of outputs that has begun.
_FREE: Final = Q(outputs_removal__isnull=True) | Q(outputs_removed_at__isnull=False)


def ended_runs_on_disk() -> Iterator[tuple[Run, Path]]:
    """Yield the ended runs that have a directory on this disk, with it; in no order."""
    root = Path(settings.STUDIO_STORAGE_ROOT) / "runs"
    for sweep in _folders(root):
        found = {}
        for folder in _folders(sweep):
            match = _ATTEMPT.fullmatch(folder.name)
            if match:
                found[f"{sweep.name}_{match[1]}", int(match[2] or 1)] = folder
        names = {name for name, _ in found}
        runs = Run.objects.filter(_FREE, public_id__in=names, state__in=sorted(RUN_TERMINAL))
        for run in runs.select_related("sweep"):
            attempt = run.public_id, max(run.fence, 1)
            if attempt in found:
                yield run, found[attempt]


def store_run(run: Run, folder: Path, tick: Callable[[], None] = NO_TICK) -> bool:
    """Bring the files in the directory of an ended run to the storage, then remove it.

    False: something changed in it meanwhile, or the run did; try again later.

    Raises:
        OSError: the storage or the disk does not do it; everything is still on the disk.
    """
    store = storage()
    prefix = f"runs/{folder.parent.name}/{folder.name}"
    before = _state(folder)
    names = {f"{prefix}/{path.relative_to(folder).as_posix()}": path for path in before}
    store.put({name: path for name, path in names.items() if store.takes(name)}, tick)
    if _state(folder) != before:
        return False
    ended = Run.objects.filter(_FREE, pk=run.pk, fence=run.fence, state__in=sorted(RUN_TERMINAL))
    if not ended.update(directory=prefix):
        if not Run.objects.filter(pk=run.pk, directory=prefix).exists():
            # Deleted, or its outputs are being removed: nothing half-made stays.
            store.delete_tree(prefix)
        return False
    leaving = folder.with_name(f".stored-{secrets.token_hex(8)}")
    folder.rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)
    return True


def output_digests(public_id: str) -> dict[str, str]:
    """Return the SHA-256 of every file that a run has left, by path."""
    rows = Artifact.objects.filter(run__public_id=public_id).values_list("path", "digest")
    return {path: digest for path, digest in rows if digest}


def note_in_log(sweep_id: int, text: str) -> None:
    """Say in the log of a sweep how its files fare."""
    append_event(sweep_id, Event.Kind.NOTICE, text)


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return size and time of every file that is kept."""
    found = {}
    journal = folder / _JOURNAL
    paths = [journal] if journal.is_file() else []
    for tree in (folder / name for name in _TREES):
        if not tree.is_symlink():
            paths += [Path(place, name) for place, _, names in os.walk(tree) for name in names]
    for path in paths:
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            found[path] = (status.st_size, status.st_mtime_ns)
    return found


def _folders(root: Path) -> list[Path]:
    try:
        with os.scandir(root) as entries:
            return [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
