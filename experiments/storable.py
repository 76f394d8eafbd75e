"""Which texts a database can hold: no null character, no half of a surrogate pair. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.problems import Problem


def is_storable(text: str) -> bool:
    """Tell whether SQLite and PostgreSQL can hold a text."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def unstorable_texts(value: Any, path: str = "") -> Iterator[Problem]:
    """Yield a problem for every text within `value`, key or value, that cannot be stored."""
    if isinstance(value, str) and not is_storable(value):
        yield Problem(path, f"{value!r} has a null character or half a character; remove it.")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            name = str(key)
            shown = name if is_storable(name) else ascii(name)[1:-1]
            inner = f"{path}.{shown}" if path else shown
            if is_storable(name):
                yield from unstorable_texts(item, inner)
            else:
                yield Problem(inner, "The name has a null character or half a character.")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from unstorable_texts(item, f"{path}[{i}]")
