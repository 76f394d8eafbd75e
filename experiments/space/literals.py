"""Plain values: which are allowed in a search space, how they are written, when two are the same.

Pure. A value is what JSON can hold: text, a number, true, false, null, lists and mappings of them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

# Far beyond any hyperparameter, and far enough from the largest float for sums and differences.
MAX_NUMBER: Final = 1e300
_MAX_DEPTH: Final = 20
_MAX_SHOWN: Final = 80
_PLAIN: Final = 1e6
# Characters that look like a space or like nothing.
_UNSEEN: Final = re.compile("[\x7f-\xa0\u2028\u2029\ufeff]")


def is_number(value: Any) -> bool:
    """Tell whether `value` is a finite int or float; bool is not a number here.

    >>> is_number(1e-5), is_number(True), is_number(float("nan"))
    (True, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= MAX_NUMBER if isinstance(value, int) else math.isfinite(value)


def plain(value: Any) -> Any:
    """Return a value with tuples as lists and subclasses of numbers and text as those themselves.

    >>> plain((1, (2.5, "a")))
    [1, [2.5, 'a']]
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    kind = next((k for k in (str, int, float) if isinstance(value, k)), None)
    return value if kind is None or type(value) is kind else kind(value)


def option_fault(value: Any, depth: int = 0) -> str:
    """Return why a choice cannot offer `value`, as the end of a sentence; "" when it can."""
    if depth > _MAX_DEPTH:
        return "is nested too deeply"
    if isinstance(value, str):
        return text_fault(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "" if is_number(value) else "is not a finite number"
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            return "has a key that is not text"
        return option_fault([*value, *value.values()], depth)
    if isinstance(value, list | tuple):
        return next(filter(None, (option_fault(item, depth + 1) for item in value)), "")
    is_json = value is None or isinstance(value, bool)
    return "" if is_json else "is not a value that JSON can hold"


def text_fault(text: str) -> str:
    """Return why no program can be given `text`, as the end of a sentence; "" when it can."""
    if "\0" in text:
        return "has a null character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "has half of a surrogate pair, which is no character"
    return ""


def identity(value: Any) -> str:
    """Return a key under which only the same value is found.

    >>> len({identity(value) for value in (1, 1.0, True, "1")})
    4
    """
    return f"{type(value).__name__}:{json.dumps(value, sort_keys=True, ensure_ascii=False)}"


def literal(value: Any) -> str:
    """Write a value as the Python literal that the text form reads back.

    >>> literal({"units": [32, 16], "bias": True})
    '{"units": [32, 16], "bias": True}'
    """
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    return repr(value)


def brief(value: Any) -> str:
    """Write a value for a message, cut where it is long."""
    try:
        text = repr(value) if isinstance(value, range) else literal(value)
    except (ValueError, RecursionError):  # an int of thousands of digits; a list in itself
        text = "a value too large to show"
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def printable(text: str) -> str:
    """Return a text with null characters and halves of surrogate pairs escaped."""
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()


def short(value: float) -> str:
    """Write a number of a sentence with four significant digits.

    >>> short(0.00247875), short(22026.466), short(1e9)
    ('0.002479', '22026', '1e+09')
    """
    text = f"{value:.4g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < _PLAIN else text
