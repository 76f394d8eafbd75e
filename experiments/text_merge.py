"""Merging two edits of one text, line by line. Pure.

What only one of them changed is taken over; where both changed the same lines, both stand there
between marks, and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

MINE: Final = "<<<<<<< yours"
MIDDLE: Final = "======="
THEIRS: Final = ">>>>>>> theirs"


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged text, and in how many places somebody has to decide."""

    text: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Same:
    """Lines that all three texts have: where they are in each."""

    base: int
    mine: int
    theirs: int
    length: int


def merge_texts(base: str, mine: str, theirs: str) -> Merged:
    """Return both edits of `base` as one text.

    >>> merge_texts("a\\nb\\nc", "A\\nb\\nc", "a\\nb\\nC").text
    'A\\nb\\nC'
    >>> merge_texts("a", "mine", "theirs").conflicts
    1
    """
    old, ours, others = base.split("\n"), mine.split("\n"), theirs.split("\n")
    lines: list[str] = []
    conflicts = at_old = at_ours = at_others = 0
    for same in _in_all(old, ours, others):
        was = old[at_old : same.base]
        one, other = ours[at_ours : same.mine], others[at_others : same.theirs]
        taken = _settled(was, one, other)
        if taken is None:
            conflicts += 1
            taken = [MINE, *one, MIDDLE, *other, THEIRS]
        lines += [*taken, *old[same.base : same.base + same.length]]
        at_old, at_ours = same.base + same.length, same.mine + same.length
        at_others = same.theirs + same.length
    return Merged("\n".join(lines), conflicts)


def _settled(was: list[str], one: list[str], other: list[str]) -> list[str] | None:
    if other in (was, one):
        return one
    return other if one == was else None


def _in_all(old: Sequence[str], ours: Sequence[str], others: Sequence[str]) -> Iterator[_Same]:
    """Yield the runs of lines that neither side changed, in order; the last one is empty."""
    mine = SequenceMatcher(None, old, ours, autojunk=False).get_matching_blocks()
    theirs = SequenceMatcher(None, old, others, autojunk=False).get_matching_blocks()
    i = j = 0
    while i < len(mine) and j < len(theirs):
        one, other = mine[i], theirs[j]
        start = max(one.a, other.a)
        end = min(one.a + one.size, other.a + other.size)
        if start < end:
            yield _Same(start, one.b + start - one.a, other.b + start - other.a, end - start)
        if one.a + one.size < other.a + other.size:
            i += 1
        else:
            j += 1
    yield _Same(len(old), len(ours), len(others), 0)
