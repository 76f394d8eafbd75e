"""`make dist`: sdist and wheel of one commit, built twice and compared, and what is in them.

The sdist has what the repository has, the wheel its packages and what they show, nothing of the
tests. Uploads nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

from packaging.metadata import InvalidMetadata, Metadata

from tests.servers import ROOT

PACKAGES: Final = ("experiments", "runner", "studio")
# Where a wheel has what stands beside the packages (studio/env.py:files_root).
BELOW: Final = "studio/_files"
FOLDERS: Final = ("docs", "examples", "static", "templates")
DOCUMENTS: Final = ("CHANGELOG.md", "README.md", "SECURITY.md")
NOT_IN_SDIST: Final = (".ci/",)


class Built(NamedTuple):
    """What one build made."""

    sdist: Path
    wheel: Path


def main() -> int:
    """Build into dist/, check, tell; 1 when something is wrong."""
    changed = _git("status", "--porcelain")
    if changed:
        print(f"There is what no commit has, and it would be built as well: {changed[0]}")
        return 1
    folder = ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    built = build(folder)
    with tempfile.TemporaryDirectory() as other:
        wrong = [*problems(built), *differences(built, build_wheel(ROOT, Path(other)))]
    for line in wrong:
        print(f"WRONG: {line}")
    for path in () if wrong else built:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{digest}  dist/{path.name}  {path.stat().st_size / 1e6:.1f} MB")
    return int(bool(wrong))


def build(folder: Path) -> Built:
    """Build the sdist of the checkout, and the wheel of that sdist."""
    _python("-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(sdist, wheel)


def build_wheel(source: Path, folder: Path) -> Path:
    """Build a wheel of a checkout or of other files alone."""
    _python("-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


def differences(built: Built, other: Path) -> list[str]:
    """Return how a second wheel differs from the first."""
    if built.wheel.read_bytes() == other.read_bytes():
        return []
    with zipfile.ZipFile(built.wheel) as first, zipfile.ZipFile(other) as second:
        names = {*first.namelist()} ^ {*second.namelist()}
        names |= {n for n in {*first.namelist()} - names if first.read(n) != second.read(n)}
    return [f"a second wheel of the same commit differs in {', '.join(sorted(names)) or 'order'}"]


def problems(built: Built) -> list[str]:
    """Return what is too much, missing or not as tools want it."""
    known = _git("ls-files", "--cached", "--others", "--exclude-standard")
    files = [name for name in known if (ROOT / name).exists()]
    with tarfile.open(built.sdist) as archive:
        inside = {m.name.split("/", 1)[1] for m in archive.getmembers() if m.isfile()}
    kept = {name for name in files if not name.startswith(NOT_IN_SDIST)}
    found = _unlike("the sdist", inside - {"PKG-INFO"}, kept)
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata)
    about = metadata.split("/", 1)[0]
    inside = {name for name in names if not name.startswith(f"{about}/")}
    found += _unlike("the wheel", inside, {_in_wheel(name) for name in files} - {""})
    try:
        Metadata.from_email(text, validate=True)
    except ExceptionGroup as group:
        found += [str(error) for error in group.exceptions if isinstance(error, InvalidMetadata)]
    checked = subprocess.run(
        [f"{sys.prefix}/bin/check-wheel-contents", str(built.wheel)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found + (checked.stdout.strip().splitlines() if checked.returncode else [])


def _in_wheel(name: str) -> str:
    """Return where a file of the checkout is in a wheel; "" when it is not."""
    top, _, rest = name.partition("/")
    if rest and top in PACKAGES:
        return name
    return f"{BELOW}/{name}" if (rest and top in FOLDERS) or name in DOCUMENTS else ""


def _unlike(what: str, inside: set[str], wanted: set[str]) -> list[str]:
    missing = [f"{what} lacks {name}" for name in sorted(wanted - inside)]
    return missing + [f"{what} has {name}" for name in sorted(inside - wanted)]


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def _python(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


if __name__ == "__main__":
    sys.exit(main())
