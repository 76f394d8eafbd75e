"""The size of a picture, read from its first bytes. Pure."""

from __future__ import annotations

import re
from typing import Final

# What pictures of pages are: screenshots, and drawings that follow the theme.
KINDS: Final = {".webp": "image/webp", ".svg": "image/svg+xml"}
# As much of a file as `picture_size` looks at.
HEAD: Final = 600
_WEBP_HEAD: Final = 30
_VIEW_BOX: Final = re.compile(rb'<svg\b[^>]*?\bviewBox="0 0 ([\d.]+) ([\d.]+)"')


def picture_size(head: bytes) -> tuple[int, int] | None:
    """Return width and height; None when these are the first bytes of neither WebP nor SVG."""
    if drawing := _VIEW_BOX.search(head):
        return round(float(drawing[1])), round(float(drawing[2]))
    if len(head) < _WEBP_HEAD or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
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
