"""Looking for words in the documentation: which sections hold all of them, the best first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from experiments.documentation.page import Page, Section
from experiments.text_marks import snippet

_WORD: Final = re.compile(r'"([^"]+)"|(\S+)')
_MOST_WORDS: Final = 8
MOST_HITS: Final = 40
_CONTEXT: Final = 220
# What a word is worth where it stands; in the text it counts a few times at most.
_IN_TITLE: Final = 12
_IN_HEADING: Final = 8
_MOST_IN_TEXT: Final = 4
# A word of the text that begins there is what was meant more often than a part of another.
_WHOLE: Final = 3


@dataclass(frozen=True, slots=True)
class DocsHit:
    """A section that holds every word, with the piece of its text around the first of them."""

    page: str
    title: str
    anchor: str
    heading: str
    context: str
    score: int


def words_of(text: str) -> list[str]:
    """Return what is looked for: words, and phrases in quotation marks.

    >>> words_of('bandit "slack factor"')
    ['bandit', 'slack factor']
    """
    found = [quoted or word for quoted, word in _WORD.findall(text)]
    return [word for word in found if word.strip('"')][:_MOST_WORDS]


def find_sections(pages: Iterable[Page], words: list[str]) -> list[DocsHit]:
    """Return the sections with all of the words, the best first."""
    patterns = [re.compile(re.escape(word), re.IGNORECASE) for word in words]
    if not patterns:
        return []
    hits = []
    for page in pages:
        for section in page.sections:
            score = _score(page, section, patterns)
            if score:
                context = snippet(section.text, words, limit=_CONTEXT) or section.text[:_CONTEXT]
                place = (page.name, page.title, section.anchor, section.heading)
                hits.append(DocsHit(*place, context, score))
    return sorted(hits, key=lambda hit: -hit.score)[:MOST_HITS]


def _score(page: Page, section: Section, patterns: list[re.Pattern[str]]) -> int:
    """Return how well a section fits; 0 when it lacks a word."""
    total = 0
    for pattern in patterns:
        # The title is that of every section: it counts where the page begins.
        in_title = bool(pattern.search(page.title)) and not section.anchor
        in_heading = bool(pattern.search(section.heading)) and bool(section.anchor)
        starts = [match.start() for match in pattern.finditer(section.text)]
        if not (in_title or in_heading or starts):
            return 0
        begins = any(at == 0 or not section.text[at - 1].isalnum() for at in starts)
        total += _IN_TITLE * in_title + _IN_HEADING * in_heading + _WHOLE * begins
        total += min(len(starts), _MOST_IN_TEXT)
    return total
