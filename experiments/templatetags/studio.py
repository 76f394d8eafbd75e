"""Template tags of the studio: icons, chips, progress, sparklines, numbers and times.

Only presentation; static/js/lib/marks.js draws the same marks in the browser.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from experiments import formats, marks
from experiments.states import badge

register = template.Library()

register.filter("number", formats.format_count)
register.filter("param", formats.format_param)
register.filter("metric", formats.format_metric)
register.filter("filesize", formats.format_filesize)
register.filter("initials", formats.initials)


@register.filter
def duration(value: float | timedelta | None) -> str:
    """Write seconds or a timedelta in two units."""
    return formats.format_duration(value.total_seconds() if isinstance(value, timedelta) else value)


@register.filter
def share(part: float, whole: float) -> str:
    """Write a share as whole percent."""
    return formats.format_share(part, whole)


@register.filter
def ago(when: datetime | str | None) -> str:
    """Show how long ago a time was; the browser keeps it current and adds the exact time."""
    if not when:
        return formats.DASH
    moment = _moment(when)
    return _time(moment, "ago", formats.format_ago(moment, timezone.now()))


@register.filter
def clock(when: datetime | str | None) -> str:
    """Show the time of day; in UTC until the browser puts its own zone."""
    if not when:
        return formats.DASH
    moment = _moment(when)
    return _time(moment, "clock", f"{moment:%H:%M:%S}")


@register.filter
def minute(when: datetime | None) -> str:
    """Show a time of day that is an estimate: without seconds."""
    if not when:
        return formats.DASH
    return format_html(
        '<time datetime="{}" data-clock="minute">{}</time>',
        when.isoformat(timespec="minutes"),
        f"{when:%H:%M}",
    )


@register.filter
def moment(when: datetime | None) -> str:
    """Show day and time; in UTC, which it says, until the browser puts its own zone."""
    if not when:
        return formats.DASH
    return format_html(
        '<time datetime="{}" data-moment="">{} UTC</time>',
        when.isoformat(timespec="seconds"),
        f"{when:%Y-%m-%d %H:%M}",
    )


def _moment(when: datetime | str) -> datetime:
    # The JSON forms of runs and sweeps carry ISO 8601.
    return datetime.fromisoformat(when) if isinstance(when, str) else when


def _time(when: datetime, kind: str, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}" data-{}="" title="{} UTC">{}</time>',
        when.isoformat(timespec="milliseconds"),
        kind,
        f"{when:%Y-%m-%d %H:%M:%S}",
        text,
    )


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw an icon of img/icons.svg; it is decoration, so the word must stand beside it."""
    return _drawn(name, css)


# A table of runs has hundreds of a few.
@lru_cache(maxsize=256)
def _drawn(name: str, css: str) -> SafeString:
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        f"i {css}".rstrip(),
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def chip(state: str, end_reason: str = "") -> SafeString:
    """Show a state as icon, word and colour."""
    return _chip(str(state), str(end_reason))


@lru_cache(maxsize=256)
def _chip(state: str, end_reason: str) -> SafeString:
    shown = badge(state, end_reason)
    return format_html(
        '<span class="chip {}">{}{}</span>', shown.css, icon(shown.icon), shown.label
    )


@register.simple_tag
def progress(counts: Mapping[str, int], total: int, css: str = "") -> SafeString:
    """Show run counts as segments in the fixed order; the rest of `total` is track.

    `counts` has states as keys and may have `stopped_early`, which is then not part of Canceled.
    """
    segments = marks.progress_segments(counts, total)
    shapes = format_html_join("", "{}", ((_segment(s),) for s in segments))
    return format_html(
        '<svg class="{}" viewBox="0 0 100 8" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>',
        f"progress {css}".rstrip(),
        marks.progress_label(counts, total),
        shapes,
    )


def _segment(segment: marks.Segment) -> SafeString:
    # Running is a dashed line: a pattern that shows without colour.
    shape = (
        '<line class="{}" x1="{}" x2="{}" y1="4" y2="4"></line>'
        if segment.css == "running"
        else '<rect class="{}" x="{}" width="{}" height="8"></rect>'
    )
    second = segment.start + segment.width if segment.css == "running" else segment.width
    return format_html(shape, segment.css, f"{segment.start:.2f}", f"{second:.2f}")


@register.simple_tag
def sparkline(values: Sequence[float], state: str = "", label: str = "") -> SafeString:
    """Draw a small line of `values` with a dot at its end; blue while the sweep is running."""
    line = marks.spark_path(values)
    if line is None:
        return format_html(
            '<svg class="spark" width="92" height="28" role="img" aria-label="{}">'
            '<line class="none" x1="0" x2="92" y1="14" y2="14"></line></svg>',
            "No values yet",
        )
    return format_html(
        '<svg class="spark {}" width="92" height="28" role="img" aria-label="{}">'
        '<polygon class="area" points="{}"></polygon><polyline class="line" points="{}"></polyline>'
        '<circle class="end" cx="{}" cy="{}" r="2.2"></circle></svg>',
        "running" if state == "Running" else "",
        label or "Best so far",
        line.area,
        line.points,
        line.end[0],
        line.end[1],
    )


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    """Return `mapping[key]`, or an empty string."""
    return mapping.get(key, "")


@register.filter
def words(values: Sequence[str]) -> SafeString:
    """Return the words of a command line; each wraps as a whole."""
    return format_html_join(" ", '<span class="word">{}</span>', ((value,) for value in values))
