"""How each column of the table of runs is written in a row: markup made from values, escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from experiments import formats
from experiments.queries import RunRow
from experiments.run_columns import Column, Kind, Source
from experiments.states import EndReason
from experiments.templatetags.studio import ago, chip, icon, sparkline

_NO_VALUE: Final = mark_safe('<span class="faint">–</span>')
_MOST_MARKS: Final = 3
_SHOWN_CHARS: Final = 300
_NUMBERS: Final = frozenset({Kind.NUMBER, Kind.COUNT, Kind.SIZE, Kind.DURATION})
_TITLED: Final = frozenset({Kind.VALUE, Kind.TEXT, Kind.MARK})
_STAR: Final = '<span class="beststar" title="Best run">{}</span>'
_AGAIN: Final = ' <span class="tag" title="Repeats run {}">of {}</span>'
_ORIGINS: Final = {
    "sampler": "Sampler",
    "retry": "Repeated",
    "hand": "By hand",
    "resumed": "Resumed",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a column looks: its CSS classes, and the decimals of its metric."""

    column: Column
    css: str
    digits: int = 4


def look_of(column: Column, rows: list[RunRow], digits: int) -> Look:
    """Return how a column looks on a page: text stands at the start, numbers at the end."""
    if column.source == Source.METRICS:
        values = [row.metrics.get((column.name, column.part)) for row in rows]
        digits = formats.metric_digits(values)
    return Look(column, " ".join(filter(None, (_side(column, rows), _class(column)))), digits)


def value_of(row: RunRow, column: Column) -> Any:
    """Return the plain value of a column; None when the run has none."""
    match column.source:
        case Source.PARAMS:
            return row.params.get(column.name)
        case Source.METRICS:
            return row.metrics.get((column.name, column.part))
        case Source.TAGS:
            return row.tags.get(column.name)
        case Source.PROPERTIES:
            return row.properties.get(column.name)
    return getattr(row, _FIELDS.get(column.key, column.key))


def row_html(row: RunRow, looks: list[Look], *, is_picked: bool = False) -> SafeString:
    """Return the row of a run; the browser knows its cells by `data-id` and their place."""
    return format_html(
        '<tr data-id="{}" data-run="{}" data-status="{}"{}{}><td class="pickcell">'
        '<input type="checkbox" name="run" value="{}" aria-label="Select run {}"{}></td>{}</tr>',
        row.public_id,
        row.number,
        row.state,
        mark_safe(' class="isbest"') if row.is_best else "",
        mark_safe(' aria-selected="true"') if is_picked else "",
        row.number,
        row.number,
        mark_safe(" checked") if is_picked else "",
        mark_safe("".join([_cell(row, look) for look in looks])),  # noqa: S308 - escaped there
    )


def _cell(row: RunRow, look: Look) -> str:
    # A page has hundreds of cells: with format_html each of them would cost twice as much. The
    # classes are words of this module.
    content = conditional_escape(_CELLS[look.column.kind](row, look))
    return f'<td class="{look.css}"{_attributes(row, look.column)}>{content}</td>'


def _side(column: Column, rows: list[RunRow]) -> str:
    if column.kind in _NUMBERS:
        return "" if column.key == "number" else "num"
    if column.kind != Kind.VALUE:
        return ""
    values = [value for row in rows if (value := row.params.get(column.name)) is not None]
    are_numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return "num" if are_numbers else "words"


def _class(column: Column) -> str:
    if column.key == "number":
        return "sticky1 nowrap"
    return f"c-{column.key}" if column.source == Source.RUN else f"c-{column.kind}"


def _attributes(row: RunRow, column: Column) -> SafeString | str:
    """Return what the browser needs to go on counting, and the exact value for the pointer."""
    if column.kind == Kind.DURATION:
        since = _since(row, column)
        return format_html(' data-since="{}"', since.isoformat()) if since else ""
    if column.kind in _TITLED:
        value = value_of(row, column)
        if value not in (None, ""):
            text = _exact(value)
            return format_html(' title="{}"', _sentence(text) if column.key == "reason" else text)
    return ""


def _exact(value: Any) -> str:
    """Return a value as it was given, not as it is shown."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else formats.format_param(value)


def _since(row: RunRow, column: Column) -> datetime | None:
    if column.key == "duration":
        return row.started if row.ended is None else None
    return row.created if row.started is None and row.ended is None else None


def _number(row: RunRow, look: Look) -> SafeString | str:
    value = value_of(row, look.column)
    if value is None:
        return _NO_VALUE
    shown = formats.format_metric(value, look.digits)
    if look.column.key != "best":
        return shown
    if look.column.part != "best":
        return format_html('<span class="metricval">{}</span>', shown)
    return format_html(
        '<span class="metricval">{}</span> <span class="faint xs">at {}</span>',
        shown,
        row.best_interval,
    )


def _count(row: RunRow, look: Look) -> SafeString | str:
    if look.column.key == "number":
        return _name(row)
    value = value_of(row, look.column)
    return _NO_VALUE if value is None else formats.format_count(value)


def _name(row: RunRow) -> SafeString:
    first = row.retry_number
    return format_html(
        '<a class="name" href="{}">Run {}</a>{}{}',
        row.url,
        row.number,
        format_html(_STAR, icon("star", "s")) if row.is_best else "",
        format_html(_AGAIN, first, first) if first is not None else "",
    )


def _size(row: RunRow, look: Look) -> SafeString | str:
    value = value_of(row, look.column)
    return formats.format_filesize(value) if value else _NO_VALUE


def _duration(row: RunRow, look: Look) -> SafeString:
    return format_html("<span>{}</span>", formats.format_duration(value_of(row, look.column)))


def _time(row: RunRow, look: Look) -> SafeString | str:
    return ago(value_of(row, look.column))


def _text(row: RunRow, look: Look) -> SafeString:
    text = str(value_of(row, look.column) or "")
    shown = _sentence(text) if look.column.key in ("reason", "note") else text
    words = format_html('<bdi class="clip">{}</bdi>', shown[:_SHOWN_CHARS])
    if look.column.key != "reason" or row.end_reason != EndReason.POLICY:
        return words
    return format_html('<a class="why" href="{}#receipt">{}</a>', row.url, words)


def _word(row: RunRow, look: Look) -> str:
    value = str(value_of(row, look.column) or "")
    return _ORIGINS.get(value, value.replace("_", " ").capitalize())


def _state(row: RunRow, look: Look) -> SafeString:
    return chip(row.state, row.end_reason)


def _param(row: RunRow, look: Look) -> SafeString | str:
    value = value_of(row, look.column)
    if value is None:
        return _NO_VALUE
    shown = formats.format_param(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return shown
    return format_html('<bdi class="clip">{}</bdi>', shown[:_SHOWN_CHARS])


def _mark(row: RunRow, look: Look) -> SafeString:
    column = look.column
    marks: Mapping[str, str | None] = row.tags if column.source == Source.TAGS else row.properties
    if column.name not in marks:
        return _NO_VALUE
    return format_html('<bdi class="clip">{}</bdi>', (marks[column.name] or "✓")[:_SHOWN_CHARS])


def _marks(row: RunRow, look: Look) -> SafeString | str:
    marks = value_of(row, look.column)
    texts = [f"{name}: {text}" if text else name for name, text in marks.items()]
    shown = [(text, text[:60]) for text in texts[:_MOST_MARKS]]
    tags = format_html_join(" ", '<span class="tag" title="{}"><bdi>{}</bdi></span>', shown)
    if len(texts) <= _MOST_MARKS:
        return tags
    more = ", ".join(texts[_MOST_MARKS:])
    return format_html(
        '{} <span class="faint xs" title="{}">+{}</span>', tags, more, len(texts) - _MOST_MARKS
    )


def _curve(row: RunRow, look: Look) -> SafeString:
    state = "Running" if row.ended is None else ""
    return sparkline(row.curve, state, f"Curve of run {row.number}")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_FIELDS: Final = {
    "best": "value",
    "last": "last_value",
    "worker": "worker_name",
    "outputs": "output_bytes",
    "retry_of": "retry_number",
    "id": "public_id",
}
_CELLS: Final[dict[Kind, Callable[[RunRow, Look], SafeString | str]]] = {
    Kind.NUMBER: _number,
    Kind.COUNT: _count,
    Kind.SIZE: _size,
    Kind.DURATION: _duration,
    Kind.TIME: _time,
    Kind.TEXT: _text,
    Kind.WORD: _word,
    Kind.STATE: _state,
    Kind.VALUE: _param,
    Kind.MARK: _mark,
    Kind.MARKS: _marks,
    Kind.CURVE: _curve,
}
