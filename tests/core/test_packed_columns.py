"""Columns come back bit by bit, packed or not, and end with their last number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from experiments.packed_columns import last_of, packed, unpacked

_NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(2**54), 2**54).map(float),
    st.integers(0, 10**16).map(lambda number: number / 1e6),
    st.sampled_from([0.0, -0.0, 1e308, -1e308, 2.0**53, 5e-324]),
)


@given(arrays(np.float64, st.integers(0, 40), elements=_NUMBERS))
def test_columns_come_back_bit_by_bit(column):
    data = packed(column)

    assert len(data) <= 8 * column.size
    assert unpacked(data, column.size).tobytes() == column.tobytes()
    assert unpacked(memoryview(data), column.size).tobytes() == column.tobytes()
    assert not column.size or data[-8:] == column[-1:].tobytes()


@pytest.mark.parametrize(
    ("column", "most"),
    [
        (np.arange(1000.0), 18),
        (5 - np.arange(1000.0) * 50, 18),
        (np.repeat(7.0, 1000), 18),
        (1.79e9 + np.arange(1000) / 4, 18),
        (1.79e9 + np.cumsum(np.arange(1000) % 250) / 1e3, 18 + 999),
        (1.79e9 + np.cumsum(np.arange(1000) % 60_000 * 60) / 1e6, 18 + 2 * 999),
        (1.79e9 + np.cumsum(np.arange(1000) % 4000) * 1.000001, 18 + 4 * 999),
        (np.arange(1000)[::-1] ** 2.0, 18 + 2 * 999),
    ],
)
def test_steps_and_times_take_few_bytes(column, most):
    data = packed(np.round(column, 6))

    assert len(data) <= most
    assert unpacked(data, 1000).tobytes() == np.round(column, 6).tobytes()
    assert last_of(data) == np.round(column, 6)[-1]


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x07\x00" + b"\0" * 16, b"\x00\x01" + b"\0" * 16])
def test_bytes_that_are_no_column_are_told(data):
    with pytest.raises(ValueError, match=f"^{len(data)} bytes are no column of 100 numbers"):
        unpacked(data, 100)
