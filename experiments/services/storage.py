"""Where files are kept on the studio's machine: the directories of runs, the storage's own name."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from django.conf import settings

STORAGE_ID: Final = "storage-id"


def run_directory(sweep_public_id: str, number: int, fence: int) -> Path:
    """Return the directory of one attempt at a run, on whichever machine it is asked for."""
    name = f"{number}" if fence <= 1 else f"{number}-{fence}"
    return Path(settings.STUDIO_STORAGE_ROOT) / "runs" / sweep_public_id / name


def storage_id() -> str:
    """Return the name of this storage, made once: whoever reads the same name shares the folder."""
    path = Path(settings.STUDIO_STORAGE_ROOT) / STORAGE_ID
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return shared_name(path.read_text().strip())
    name = secrets.token_hex(16)
    with os.fdopen(descriptor, "w") as file:
        file.write(name)
    return shared_name(name)


def shared_name(folder: str) -> str:
    """Return the name of the storage with this folder; a bucket makes it another one."""
    bucket = settings.STUDIO_STORAGE_BUCKET
    return folder if bucket is None else f"{folder} {bucket}"
