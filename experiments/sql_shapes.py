"""The shape of a database query: its text without any value, so that it may be shown and kept.

Pure. Django writes placeholders for most values; literals that it inlines are taken out here.
"""

from __future__ import annotations

import re
from typing import Final

MOST_LETTERS: Final = 1500
_LITERAL: Final = re.compile(
    r"""
    (?:\b[xXbBeE])?'(?:[^']|'')*'     # text, also as bytes; a quote in it is written twice
    | (?<![\w"$.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w"])
    """,
    re.VERBOSE,
)
_SPACE: Final = re.compile(r"\s+")
# As many values as there happened to be: one shape all the same.
_LIST: Final = re.compile(r"\(\s*(?:%s|\?)(?:\s*,\s*(?:%s|\?))*\s*\)")
_ROWS: Final = re.compile(r"\(…\)(?:\s*,\s*\(…\))+")


def shape_of(sql: str) -> str:
    """Return a query with its values left out and its lists of values as one."""
    # Twice as much as is kept is enough to find where literals end.
    text = _SPACE.sub(" ", sql[: 4 * MOST_LETTERS]).strip()
    text = _ROWS.sub("(…), …", _LIST.sub("(…)", _LITERAL.sub("?", text)))
    # Cut within a literal, the rest of it would be shown.
    text = text.partition("'")[0].rstrip() + " …" if "'" in text else text
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
