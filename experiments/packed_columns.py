"""A column of numbers in few bytes: steps and times grow evenly, so differences say it all. Pure.

Without loss, bit by bit: what cannot be said so stays as it is, 8 bytes for each number. What is
packed is shorter than that, so its length tells which of the two it is. Either way the last 8 bytes
are the last number.
"""

from __future__ import annotations

import struct
from typing import Any, Final, TypeAlias

import numpy as np

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Whole: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Raw: TypeAlias = bytes | memoryview

# Numbers are whole multiples of one, a thousandth or a millionth: steps, the milliseconds of MLflow
# and the microseconds of the journal.
_SCALES: Final = (1.0, 1e3, 1e6)
# Which scale, how many bytes each difference has beyond the smallest one, and that one.
_HEAD: Final = struct.Struct("<BBq")
_WIDTHS: Final = (0, 1, 2, 4)
_NUMBER: Final = 8
_EXACT: Final = 2.0**53


def packed(column: Floats) -> bytes:
    """Return a column `(n,)` as it is stored."""
    raw = column.astype("<f8", copy=False).tobytes()
    for code, scale in enumerate(_SCALES if column.size > 1 else ()):
        whole = _whole(column, scale, raw)
        if whole is not None:
            return min(raw, _packed(whole, code, raw[-_NUMBER:]), key=len)
    return raw


def unpacked(data: Raw, count: int) -> Floats:
    """Return a stored column of `count` numbers.

    Raises:
        ValueError: the bytes are no such column.
    """
    if len(data) == _NUMBER * count:
        return np.frombuffer(data, dtype="<f8")
    code, width, low = _HEAD.unpack_from(bytes(data[: _HEAD.size]).ljust(_HEAD.size, b"\xff"))
    if len(data) != _HEAD.size + width * (count - 1) + _NUMBER or code >= len(_SCALES):
        raise ValueError(f"{len(data)} bytes are no column of {count} numbers.")
    scale = _SCALES[code]
    steps = np.full(count - 1, low, dtype=np.int64)
    if width:
        steps += np.frombuffer(data, f"<u{width}", count - 1, _HEAD.size).astype(np.int64)
    whole = np.empty(count, dtype=np.int64)
    whole[0] = round(last_of(data) * scale) - int(steps.sum())
    np.cumsum(steps, out=whole[1:])
    whole[1:] += whole[0]
    column: Floats = whole / scale
    return column


def last_of(data: Raw) -> float:
    """Return the last number of a stored column."""
    return float(struct.unpack("<d", data[-_NUMBER:])[0])


def _whole(column: Floats, scale: float, raw: bytes) -> Whole | None:
    with np.errstate(over="ignore"):
        scaled = np.rint(column * scale)
    if not bool((np.abs(scaled) <= _EXACT).all()):  # or it is no number
        return None
    whole = scaled.astype(np.int64)
    return whole if (whole / scale).astype("<f8", copy=False).tobytes() == raw else None


def _packed(whole: Whole, code: int, last: bytes) -> bytes:
    steps = np.diff(whole)
    low = int(steps.min())
    span = int(steps.max()) - low
    width = next((width for width in _WIDTHS if span < 256**width), _NUMBER)
    if width == _NUMBER:
        return _HEAD.pack(code, width, low) + steps.tobytes() + last  # longer than it was
    body = (steps - low).astype(f"<u{width}").tobytes() if width else b""
    return _HEAD.pack(code, width, low) + body + last
