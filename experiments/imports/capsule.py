"""The document of a sweep inside the HTML page of a capsule: how it is put there and read again.

Owns the block of the page that machines read; the page itself is made by `experiments.capsules`.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from experiments.problems import Problem, ProblemsError

MAX_BYTES: Final = 256 * 1024 * 1024
_BLOCK: Final = re.compile(
    rb'<script type="application/gzip" id="sweep-document" data-sha256="([0-9a-f]{64})">'
    rb"([A-Za-z0-9+/=\s]*)</script>"
)
_NO_CAPSULE: Final = "The file is no capsule of a sweep: it has no block with its document."


@dataclass(frozen=True, slots=True)
class Packed:
    """A document as a page carries it: base64 of gzip, and the SHA-256 (hex) of its text."""

    text: str
    digest: str
    size: int


def pack_document(pieces: Iterable[str]) -> Packed:
    """Return a document that is given piece by piece, ready for the block of a page."""
    digest, size, packed = hashlib.sha256(), 0, io.BytesIO()
    # No time of making: the same sweep gives the same bytes.
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as file:
        for piece in pieces:
            data = piece.encode()
            digest.update(data)
            size += len(data)
            file.write(data)
    return Packed(base64.b64encode(packed.getvalue()).decode(), digest.hexdigest(), size)


def read_capsule(page: bytes) -> Any:
    """Return the document that a capsule carries, as JSON; it is checked where it is imported.

    Raises:
        ProblemsError: there is none, it is damaged, or larger than MAX_BYTES.
    """
    found = _BLOCK.search(page)
    if found is None:
        raise ProblemsError([Problem("", _NO_CAPSULE)])
    data = _unpacked(found[2])
    if hashlib.sha256(data).hexdigest() != found[1].decode():
        text = "The document in the capsule is not the one it was made with: its SHA-256 differs."
        raise ProblemsError([Problem("", text)])
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProblemsError(
            [Problem("", f"The document in the capsule is no JSON: {error}.")]
        ) from error


def _unpacked(text: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        packed = base64.b64decode(text, validate=False)
        data = unpacker.decompress(packed, MAX_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ProblemsError([Problem("", f"The capsule is damaged: {error}.")]) from error
    if unpacker.unconsumed_tail:
        limit = f"The document in the capsule is larger than {MAX_BYTES // 1024**2} MB."
        raise ProblemsError([Problem("", limit)])
    if not unpacker.eof:
        raise ProblemsError([Problem("", "The capsule is damaged: it ends too early.")])
    return data
