"""Texts as Plotly shows them, and arrays as it reads them."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.formats import format_metric, format_param, metric_digits

TYPED_FROM: Final = 100
_ZERO_WIDTH: Final = "\u200b"
_ELLIPSIS: Final = "…"


def format_value(value: Any, digits: int = 4) -> str:
    """Write a parameter value; null is a value here, not an empty cell."""
    return "null" if value is None else format_param(value, digits)


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

    `d3` is the same format for Plotly's hover templates.
    """

    decimals: int
    d3: str

    def text(self, value: float) -> str:
        """Write one value."""
        return format_metric(value, self.decimals)


def metric_format(values: Iterable[float]) -> MetricFormat:
    """Choose the decimals from the spread of the values; four at least up to 1, as accuracies."""
    known = [v for v in values if math.isfinite(v)]
    size = max((abs(v) for v in known), default=1.0)
    decimals = max(metric_digits(known), 4 if size <= 1 else 0)
    is_plain = size < 1e7 and (size == 0 or size >= 0.5 * 10**-decimals)
    return MetricFormat(decimals, f".{decimals}f" if is_plain else ".4~g")


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
