"""What a figure says, read back: its colours, its runs, its packed numbers."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

PALETTE = {"token:seq": [[0, "#c3d6d8"], [1, "#1d3467"]]}


def resolved(value: Any) -> Any:
    """Replace the tokens the way a browser does, so that Plotly can check the colours."""
    if isinstance(value, dict):
        return {key: resolved(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolved(inner) for inner in value]
    if isinstance(value, str) and value.startswith("token:"):
        return PALETTE.get(value, "#123456")
    return value


def drawn_runs(figure):
    """Return the numbers of the runs that have a line or a point of their own."""
    if figure.meta["chart"] == "parallel_coordinates":
        lines = figure.meta["lines"]
        pairs = zip(lines["numbers"], lines["metric"], strict=True)
        return {number for number, value in pairs if value is not None}
    found: set[int] = set()
    for trace in figure.data:
        owners = trace.get("customdata", [])
        found.update(decoded(owners))
    return found


def decoded(values):
    if isinstance(values, dict):
        raw = base64.b64decode(values["bdata"])
        return np.frombuffer(raw, dtype=f"<{values['dtype']}").tolist()
    return values
