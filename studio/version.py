"""Which studio this process is: the number of the package and a mark of its very code.

The number comes from the tags of the repository when the package is built or installed
(pyproject.toml); two checkouts of one number differ in the mark. Read when the process starts: what
lies on the disk may be newer than what runs. Imports nothing of Django.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_PACKAGES: Final = ("experiments", "runner", "studio")


def read_number() -> str:
    """Return the version of the installed package: "1.4.0"."""
    try:
        return version("sweep-studio")
    except PackageNotFoundError:
        return "unknown"


def read_version() -> str:
    """Return the version of the studio on the disk: "1.4.0+9f86d081"."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for file in sorted((_ROOT / package).rglob("*.py")):
            digest.update(file.relative_to(_ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return f"{read_number()}+{digest.hexdigest()[:8]}"


NUMBER: Final = read_number()
VERSION: Final = read_version()
