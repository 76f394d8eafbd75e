"""The doctor on this machine: interpreter, packages, folders, disk, key, static files."""

from __future__ import annotations

import shutil
import stat
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final
from uuid import uuid4

from packaging.requirements import Requirement

from studio import env
from studio.doctor_finding import Seen, warned

_MIN_FREE_BYTES: Final = 2 * 1000**3
# What django.core.management.utils makes; shorter ones can be guessed.
_MIN_KEY: Final = 32
_INSTALL_AGAIN: Final = "`pip install -c constraints.txt --upgrade` with `-e .` or the wheel"


def python() -> Seen:
    """The interpreter is one that the studio runs on."""
    found = ".".join(map(str, sys.version_info[:3]))
    cure = "" if sys.version_info >= (3, 11) else "Use Python 3.11 or newer."
    return Seen(f"{found} at {sys.executable}", cure)


def dependencies() -> Seen:
    """The packages have the versions that the studio was tried with."""
    wanted = [Requirement(line) for line in requires("sweep-studio") or []]
    needed = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [text for requirement in needed if (text := _requirement_problem(requirement))]
    if wrong:
        return Seen("; ".join(wrong), f"Run `make up`, or {_INSTALL_AGAIN}.")
    return Seen(f"{len(needed)} packages as required")


def _requirement_problem(requirement: Requirement) -> str:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} {found}, needed {requirement.specifier}"


def home() -> Seen:
    """The data folder is there and can be written to."""
    folder = env.studio_home()
    if not folder.is_dir():
        return Seen(f"{folder} does not exist", "Run `studio up` once, or correct STUDIO_HOME.")
    return _writable(folder, f"Run `chown -R $USER {folder}`.") or Seen(str(folder))


def storage() -> Seen:
    """The folder of snapshots and outputs can be written to and has space."""
    from django.conf import settings

    folder = Path(settings.STUDIO_STORAGE_ROOT)
    # Made with the first sweep.
    folder = next(f for f in (folder, *folder.parents) if f.exists())
    wrong = _writable(folder, f"Run `chown -R $USER {folder}`.")
    if wrong is not None:
        return wrong
    free = shutil.disk_usage(folder).free
    detail = f"{folder}, {free / 1000**3:.1f} GB free"
    least = settings.STUDIO_MIN_FREE_BYTES
    if free < least:
        why = f"Workers take no runs below {least / 1000**3:.1f} GB."
        return Seen(detail, f"Free some space in {folder}.", why)
    return Seen(detail)


def _writable(folder: Path, cure: str) -> Seen | None:
    probe = folder / f".doctor-{uuid4().hex[:8]}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Seen(f"{folder}: {error.strerror}", cure, "The studio cannot write there.")
    return None


def secret() -> Seen:
    """The key that signs sessions is there, long, and nobody else's."""
    given = env.text("STUDIO_SECRET_KEY")
    path = env.studio_home() / "secret-key"
    make = "Run `openssl rand -base64 48`, and set STUDIO_SECRET_KEY to what it prints."
    if given and len(given) < _MIN_KEY:
        return Seen(f"STUDIO_SECRET_KEY has {len(given)} characters", make, "It can be guessed.")
    if given:
        return Seen("given by STUDIO_SECRET_KEY")
    if not path.exists():
        return Seen("not made yet", "Run `studio up` once; it makes the key.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        why = "Who reads it can sign in as anybody."
        return Seen(f"{path}, mode {mode:o}", f"Run `chmod 600 {path}`.", why)
    return Seen(f"{path}, mode {mode:o}; a second web server needs the same (STUDIO_SECRET_KEY)")


def disk() -> Seen:
    """The disk of the data folder has space."""
    place = env.studio_home()
    folder = next(f for f in (place, *place.parents) if f.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1000**3:.1f} GB free at {folder}"
    if free > _MIN_FREE_BYTES:
        return Seen(detail)
    cure = "Free some space, or move STUDIO_HOME to another disk."
    return warned(detail, cure, "Outputs and logs of runs go there.")


def static() -> Seen:
    """Style sheets and scripts of the pages were collected."""
    from django.conf import settings

    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if manifest.exists():
        return Seen(f"collected in {settings.STATIC_ROOT}")
    cure = "Run `studio up`, or `python -m django collectstatic`."
    return Seen(f"{manifest} does not exist", cure, "Pages have no style.")
