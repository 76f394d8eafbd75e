"""Where words that were looked for stand in a text, and the piece of a long text around them.

Pure; upper and lower case are the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ELLIPSIS = "…"


def mark_words(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether it is one of the words.

    >>> mark_words("Learning rates", ["rate"])
    [('Learning ', False), ('rate', True), ('s', False)]
    """
    pattern = _pattern(words)
    if pattern is None or not text:
        return [(text, False)] if text else []
    pieces = pattern.split(text)
    return [(piece, at % 2 == 1) for at, piece in enumerate(pieces) if piece]


def snippet(text: str, words: Sequence[str], *, limit: int = 120) -> str:
    """Return the part of a text around the first word; "" when none stands in it."""
    pattern = _pattern(words)
    line = " ".join(text.split())
    found = pattern.search(line) if pattern else None
    if found is None:
        return ""
    if len(line) <= limit:
        return line
    start = max(0, min(found.start() - limit // 3, len(line) - limit))
    cut = line[start : start + limit].strip()
    if start:
        # Not from the middle of a word, unless it is the only one.
        cut = cut.partition(" ")[2] or cut
    return f"{_ELLIPSIS if start else ''}{cut}{_ELLIPSIS if start + limit < len(line) else ''}"


def _pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    known = sorted({word for word in words if word}, key=len, reverse=True)
    if not known:
        return None
    return re.compile(f"({'|'.join(map(re.escape, known))})", re.IGNORECASE)
