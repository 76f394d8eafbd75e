"""Numbers and texts as charts show them, and arrays as Plotly reads them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

TYPED_FROM: Final = 100
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MINUS: Final = "\u2212"
_THIN_SPACE: Final = "\u202f"
_ZERO_WIDTH: Final = "\u200b"
_ELLIPSIS: Final = "…"
_MANY_DECIMALS: Final = 8


def format_number(value: float, digits: int = 4) -> str:
    """Write a number for people: 4 significant digits, powers of ten instead of SI prefixes.

    Whole numbers below 10⁶ stay exact and get thin spaces between thousands.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e6:
        return _power_text(value, min(digits, 3))
    if float(value).is_integer():
        return f"{int(value):,}".replace(",", _THIN_SPACE).replace("-", _MINUS)
    text = np.format_float_positional(
        value, precision=digits, unique=False, fractional=False, trim="-"
    )
    return text.replace("-", _MINUS)


def _power_text(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPT)
    text = power if mantissa == "1" else f"{mantissa}×{power}"
    return text.replace("-", _MINUS)


def format_value(value: Any) -> str:
    """Write any parameter value for people: text as it is, lists and flags as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format_number(float(value))
    return json.dumps(value, ensure_ascii=False, default=str)


def shorten(text: str, limit: int = 24) -> str:
    """Cut the middle out of a long text: beginnings and ends are what tells values apart."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}{_ELLIPSIS}{text[-tail:]}"


def plain(text: str) -> str:
    """Return text that Plotly's own markup (tags, entities, %{...}) leaves alone."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("%{", f"%{_ZERO_WIDTH}{{")


@dataclass(frozen=True, slots=True)
class MetricFormat:
    """One way to write all values of a metric, so that columns line up.

    `decimals` None: powers of ten. `d3` is the same format for Plotly's hover templates.
    """

    decimals: int | None

    @property
    def d3(self) -> str:
        """Return the format in the language of d3-format."""
        return ".4~g" if self.decimals is None else f".{self.decimals}f"

    def text(self, value: float) -> str:
        """Write one value."""
        if self.decimals is None or not math.isfinite(value):
            return format_number(value)
        return f"{value:.{self.decimals}f}".replace("-", _MINUS)


def metric_format(values: Iterable[float]) -> MetricFormat:
    """Choose the decimals from the spread of the values, so that three digits tell them apart.

    Values up to 1, such as accuracies, get four decimals at least.
    """
    known = [v for v in values if math.isfinite(v)]
    if not known:
        return MetricFormat(4)
    size = max(abs(v) for v in known)
    if size and not 1e-3 <= size < 1e6:
        return MetricFormat(None)
    spread = max(known) - min(known)
    wanted = 2 - math.floor(math.log10(spread)) if spread > 0 else 4
    fewest = 4 if size <= 1 else 0
    return MetricFormat(max(fewest, min(_MANY_DECIMALS, wanted)))


def numbers(values: ArrayLike, dtype: str = "f8") -> list[Any] | dict[str, Any]:
    """Return numbers for a Plotly attribute: a list, or from 100 numbers on a base64 typed array.

    Non-finite values become gaps. `dtype` is Plotly's name: f8, f4, i4, i2 ...
    """
    array = np.asarray(values)
    if array.dtype.kind == "f":
        array = np.where(np.isfinite(array), array, np.nan)
    if array.size >= TYPED_FROM:
        return typed_array(array, dtype)
    return [_json_number(value) for value in array.tolist()]


def typed_array(array: NDArray[Any], dtype: str) -> dict[str, Any]:
    """Return an array as Plotly's base64 form; two dimensions carry their shape, rows first."""
    raw = np.ascontiguousarray(array, dtype=np.dtype(f"<{dtype}"))
    coded: dict[str, Any] = {"dtype": dtype, "bdata": base64.b64encode(raw.tobytes()).decode()}
    if array.ndim > 1:
        coded["shape"] = ", ".join(str(length) for length in array.shape)
    return coded


def matrix(array: NDArray[np.float64]) -> list[list[Any]] | dict[str, Any]:
    """Return a matrix as rows, or from 100 numbers on as a base64 array of float32; NaN: null."""
    if array.size >= TYPED_FROM:
        return typed_array(array, "f4")
    return [[_json_number(value) for value in row] for row in array.tolist()]


def json_value(value: Any) -> Any:
    """Return a value that strict JSON can hold: NaN and infinities become words."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


def _json_number(value: float) -> float | None:
    return value if math.isfinite(value) else None
