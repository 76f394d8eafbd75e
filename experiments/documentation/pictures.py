"""The size of a picture in WebP, read from its first bytes. Pure."""

from __future__ import annotations

from typing import Final

# As much of a file as `webp_size` looks at.
HEAD: Final = 30


def webp_size(head: bytes) -> tuple[int, int] | None:
    """Return width and height; None when these are not the first bytes of a picture in WebP."""
    if len(head) < HEAD or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    kind = head[12:16]
    if kind == b"VP8 ":
        return _number(head[26:28]) & 0x3FFF, _number(head[28:30]) & 0x3FFF
    if kind == b"VP8L":
        bits = _number(head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return _number(head[24:27]) + 1, _number(head[27:30]) + 1
    return None


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
