"""The files of one run as one tree: `outputs/...`, `logs/...` and what its script uploaded.

Pure: lists, finds and reads; never writes. Nothing outside the two trees is ever given out,
whatever links a script leaves behind.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

STD_LOG: Final = "logs/std_log.txt"
_TREES: Final = ("outputs", "logs")
# Where a script's own ./outputs and ./logs are while it runs; collected into the trees at its end.
_LIVE: Final = "code"
# What was uploaded under another name, without this folder in it.
_UPLOADS: Final = "uploads"


@dataclass(frozen=True, slots=True)
class RunFile:
    """One file of the tree; `path` is relative, with forward slashes."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Text of the bytes from `offset` to `next_offset` of a file of `size` bytes."""

    text: str
    offset: int
    next_offset: int
    size: int


def list_files(directory: Path) -> list[RunFile]:
    """Return every file of the run, sorted by path; an absent directory has none."""
    found: dict[str, int] = {}
    for tree in _TREES:
        for root in (directory / _LIVE / tree, directory / tree):
            for path in _regular_files(root):
                relative = PurePosixPath(tree, *path.relative_to(root).parts)
                found[str(relative)] = path.stat().st_size
    uploads = directory / _UPLOADS
    for path in [] if uploads.is_symlink() else _regular_files(uploads):
        found[path.relative_to(uploads).as_posix()] = path.stat().st_size
    return [RunFile(path, size) for path, size in sorted(found.items())]


def output_files(directory: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield (path below `outputs`, where it is) of what a run left in ./outputs, or uploaded there.

    Of files with the same path the last one counts, as in `list_files`.
    """
    uploads = directory / _UPLOADS
    roots = [directory / _LIVE / "outputs", directory / "outputs", uploads / "outputs"]
    for root in roots[:2] if uploads.is_symlink() else roots:
        for path in _regular_files(root):
            yield PurePosixPath(*path.relative_to(root).parts), path


def find_file(directory: Path, path: str) -> Path:
    """Return where the file `path` of the tree is.

    Raises:
        FileNotFoundError: there is none, or the path or a link leads out of the tree.
    """
    parts = PurePosixPath(path).parts
    if "\0" not in path and parts and parts[0] != "/" and ".." not in parts:
        if parts[0] in _TREES:
            roots = [(root, root / parts[0]) for root in (directory, directory / _LIVE)]
        else:
            roots = []
        roots.append((directory / _UPLOADS, directory / _UPLOADS))
        for root, tree in roots:
            candidate = root.joinpath(*parts)
            is_linked = tree.name == _UPLOADS and tree.is_symlink()
            if candidate.is_file() and not is_linked and _is_inside(candidate, tree):
                return candidate
    raise FileNotFoundError(f"The run has no file '{path}'.")


def read_text(path: Path, offset: int, limit: int) -> TextPiece:
    """Return up to `limit` bytes of UTF-8 text from `offset` on, never cutting a character.

    An offset behind the end (the file was replaced) reads nothing and says the true size. What is
    not UTF-8 is shown as replacement characters. An absent file is empty.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = min(offset, size)
            file.seek(start)
            raw = file.read(limit)
    except FileNotFoundError:
        return TextPiece("", 0, 0, 0)
    return text_piece(raw, start, size)


def text_piece(raw: bytes, start: int, size: int) -> TextPiece:
    """Return bytes that were read at `start` of a file as text; half a character is left out."""
    kept = len(raw) - _cut_character(raw)
    text = raw[:kept].decode("utf-8", errors="replace")
    return TextPiece(text, start, start + kept, size)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _regular_files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root, followlinks=False):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and _is_inside(path, root):
                yield path


def _is_inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _cut_character(raw: bytes) -> int:
    """Return how many bytes at the end are the beginning of a character that goes on."""
    for back in range(1, min(4, len(raw)) + 1):
        byte = raw[-back]
        if byte & 0xC0 == 0x80:  # a continuation byte: its first byte stands further left
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        # A piece of one lone character is given out whole, so that reading always gets on.
        return back if needed > back and back < len(raw) else 0
    return 0
