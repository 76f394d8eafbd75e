"""Where and with what a sweep ran, and the hashes of what went in and came out."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from typing import Any, Final

from experiments.models import Artifact, Run, Sweep, Worker
from experiments.services.snapshots import snapshot_path

_MOST_FILES: Final = 200
_MOST_PLACES: Final = 50
_BLOCK: Final = 1 << 20
_NO_CODE: Final = (OSError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file with its SHA-256, hex."""

    path: str
    size: int
    digest: str


def capsule_facts(sweep: Sweep) -> dict[str, Any]:
    """Return what the page says under "Environment" and "Hashes"."""
    runs = Run.objects.filter(sweep=sweep).order_by()
    hosts = runs.exclude(host="").values_list("host", flat=True).distinct()[:_MOST_PLACES]
    names = runs.exclude(worker_name="").values_list("worker_name", flat=True).distinct()
    workers = Worker.objects.filter(name__in=names).exclude(python_version="")
    pythons = workers.values_list("python_version", "python").distinct()[:_MOST_PLACES]
    best = sweep.best_run
    return {
        "hosts": sorted(hosts),
        "pythons": sorted(set(pythons)),
        "variables": sorted(sweep.spec.get("environment") or {}),
        "command": best.command if best else [],
        "code": _code(sweep),
        "outputs": _outputs(best) if best else [],
    }


def _outputs(run: Run) -> list[HashedFile]:
    """Return the files of the winner whose hash is known, the logs not among them."""
    found = Artifact.objects.filter(run=run).exclude(digest="").exclude(path__startswith="logs/")
    return [HashedFile(a.path, a.size_bytes, a.digest) for a in found[:_MOST_FILES]]


def _code(sweep: Sweep) -> list[HashedFile]:
    """Return the files of the code; nothing when the storage cannot be read now."""
    try:
        with zipfile.ZipFile(snapshot_path(sweep.snapshot)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            return [
                HashedFile(entry.filename, entry.file_size, _digest(archive, entry))
                for entry in entries[:_MOST_FILES]
            ]
    except _NO_CODE:
        return []


def _digest(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    with archive.open(entry) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
