"""How numbers, times and sizes are written for people; static/js/lib/format.js has the same rules.

Pure. Both are tested against tests/golden/formats.json. Copied values are never formatted here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

DASH: Final = "–"
MINUS: Final = "\N{MINUS SIGN}"
THIN: Final = "\N{NARROW NO-BREAK SPACE}"
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIZES: Final = ("kB", "MB", "GB", "TB", "PB")
# Values this many times farther apart than those in the middle do not count for the decimals.
_FAR: Final = 25


def format_count(value: int) -> str:
    """Write a whole number with thin spaces between thousands."""
    return f"{value:,}".replace(",", THIN).replace("-", MINUS)


def format_param(value: object, digits: int = 4) -> str:
    """Write a parameter value: `digits` significant digits, powers of ten where that is shorter."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value, digits)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def format_metric(value: float | str | None, digits: int = 4) -> str:
    """Write a metric value with a fixed number of decimals, so that columns line up."""
    if value is None or value == "":
        return DASH
    number = float(value)
    if not math.isfinite(number):
        return _nonfinite_text(number)
    if abs(number) >= 1e7 or (number != 0 and abs(number) < 0.5 * 10**-digits):
        return _power_text(number, 3)
    return _signed(f"{number:.{digits}f}")


def metric_digits(values: Iterable[float | None]) -> int:
    """Return how many decimals tell the values apart: four significant digits of their spread.

    The spread is that of most of them: one run that diverged leaves the others their decimals.
    """
    finite = sorted(v for v in values if v is not None and math.isfinite(v))
    if not finite:
        return 4
    fifth = len(finite) // 5
    spread, middle = finite[-1] - finite[0], finite[-1 - fifth] - finite[fifth]
    size = min(spread, _FAR * middle or spread) or max(abs(v) for v in finite)
    digits = min(8, max(0, 3 - math.floor(math.log10(size)))) if size > 0 else 4
    # However far apart they are, the usual ones must not be rounded away.
    return 4 if digits == 0 and 0 < abs(finite[len(finite) // 2]) < 10 else digits


def format_duration(seconds: float | None) -> str:
    """Write a time span in two units; seconds only below ten minutes."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    whole = max(0, math.floor(seconds + 0.5))
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def format_ago(when: datetime, now: datetime) -> str:
    """Write how long ago something was; older than a week, its date."""
    seconds = (now - when).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    days = int(seconds // 86400)
    if days == 1:
        return "yesterday"
    if days < 7:
        return f"{days} days ago"
    date = f"{when.day} {when:%b}"
    return date if when.year == now.year else f"{date} {when.year}"


def format_filesize(size_bytes: float | None) -> str:
    """Write a file size in decimal units with one decimal place."""
    if size_bytes is None:
        return DASH
    if size_bytes < 1000:
        return f"{int(size_bytes)} B"
    size = float(size_bytes)
    for unit in _SIZES:
        size /= 1000
        # 999 950 bytes would be written "1000.0 kB".
        if size < 999.95 or unit == _SIZES[-1]:
            return f"{size:.1f} {unit}"
    raise AssertionError("unreachable")


def format_share(part: float, whole: float) -> str:
    """Write a share as whole percent."""
    return f"{math.floor(100 * part / whole + 0.5)} %" if whole else DASH


def initials(name: str) -> str:
    """Return the one or two letters that stand for a person."""
    words = [w for w in name.replace(".", " ").replace("_", " ").split() if w]
    return "".join(w[0] for w in words[:2]).upper() or "?"


def _number_text(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return _nonfinite_text(value)
    if value == 0:
        return "0"
    if abs(value) < 1e-3 or abs(value) >= 1e6:
        return _power_text(value, min(digits, 3))
    if value == int(value):
        return format_count(int(value))
    return _signed(f"{float(f'{value:.{digits}g}'):g}" if digits <= 6 else f"{value:.{digits}g}")


def _power_text(value: float, digits: int) -> str:
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPT)
    short = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    sign = MINUS if value < 0 else ""
    return sign + (power if short == "1" else f"{short}×{power}")


def _nonfinite_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "∞" if value > 0 else f"{MINUS}∞"


def _signed(text: str) -> str:
    # "-0.0000" is zero to a reader.
    bare = text.removeprefix("-")
    if text == bare or not bare.strip("0."):
        return bare
    return MINUS + bare
