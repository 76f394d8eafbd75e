"""Runs find their files again after the storage was moved, or restored in another place.

The row of a run names its directory with its whole path, since machines may see the storage at
different places.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from experiments.models import Run


def follow_storage() -> int:
    """Correct the directories of runs that are in the storage now and not where they were.

    Returns how many. A directory that is still where its row says is left alone.
    """
    root = Path(settings.STUDIO_STORAGE_ROOT) / "runs"
    elsewhere = Run.objects.filter(directory__startswith="/").exclude(
        directory__startswith=f"{root}/"
    )
    count = 0
    for pk, directory in elsewhere.order_by("pk").values_list("pk", "directory"):
        old = Path(directory)
        new = root.joinpath(*old.parts[-2:])
        if new.is_dir() and not old.exists():
            rows = Run.objects.filter(pk=pk, directory=directory)
            count += rows.update(directory=str(new))
    return count
