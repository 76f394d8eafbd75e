"""Template tags of the comparison: how a sweep looks wherever it is shown, parts of texts found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from experiments.text_marks import mark_words

register = template.Library()

# The same marks as in the charts (experiments/charts/comparison.py), around (15, 6).
_DASHES: Final = ("", "5 3", "2 2", "7 2 2 2", "3 2", "8 3", "1 3", "5 2")
_SHAPES: Final = (
    "M11 6a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "M11.5 2.5h7v7h-7z",
    "M15 1l5 5-5 5-5-5z",
    "M15 1.5l4.6 8H10.4z",
    "M15 10.5l-4.6-8h9.2z",
    "M15 1.4l4.4 3.2-1.7 5.2h-5.4L10.6 4.6z",
    "M12.6 1.9h4.8L19.8 6l-2.4 4.1h-4.8L10.2 6z",
    "M13.4 2h3.2v2.4H19v3.2h-2.4V10h-3.2V7.6H11V4.4h2.4z",
)


@register.simple_tag
def sweep_key(place: int) -> SafeString:
    """Draw the line and the marker of a compared sweep; its name must stand beside it."""
    return format_html(
        '<svg class="key cat-{}" width="30" height="12" viewBox="0 0 30 12" aria-hidden="true">'
        '<line x1="0" x2="30" y1="6" y2="6" stroke-dasharray="{}"></line>'
        '<path d="{}"></path></svg>',
        place + 1,
        _DASHES[place],
        _SHAPES[place],
    )


@register.simple_tag
def marked(text: object, words: Sequence[str]) -> SafeString:
    """Write a text with the words that were looked for marked in it."""
    parts = mark_words(str(text), words)
    return format_html_join(
        "", "{}", ((format_html("<mark>{}</mark>", part) if hit else part,) for part, hit in parts)
    )
