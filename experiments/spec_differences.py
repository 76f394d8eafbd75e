"""What differs between specifications: one row for each thing that can be set, one cell a sweep.

Pure. Values are written as in a specification file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

# Keys of their own place on the page, or the same by definition.
_ELSEWHERE: Final = frozenset({"name", "description", "primary_metric", "source_directory"})
# Key of the specification: heading of its rows. Others stand under "Runs and limits".
_HEADINGS: Final = {
    "search_space": "Search space",
    "sampling": "Sampling",
    "early_termination": "Early termination",
    "snapshot": "Code",
    "script": "Code",
    "command": "Code",
    "arguments": "Code",
    "python": "Code",
    "environment": "Code",
    "experiment": "Names",
    "tags": "Names",
    "resume_from": "Warm start",
    "resume_child_runs": "Warm start",
}
_LIMITS: Final = "Runs and limits"
_ORDER: Final = (
    "Search space", "Sampling", "Early termination", _LIMITS, "Code", "Warm start", "Names",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SpecRow:
    """One thing that can be set; `cells` are texts, "" where a specification does not have it."""

    heading: str
    key: str
    cells: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether all specifications say the same."""
        return len(set(self.cells)) == 1


def compare_specs(specs: Sequence[Mapping[str, Any]]) -> list[SpecRow]:
    """Return every row that at least one of the stored specifications has."""
    flat = [dict(_flatten(spec)) for spec in specs]
    keys = dict.fromkeys(key for spec in flat for key in spec)
    rows = [
        SpecRow(_heading(key), key, tuple(spec.get(key, "") for spec in flat))
        for key in keys
        if any(spec.get(key) for spec in flat)
    ]
    return sorted(rows, key=lambda row: _ORDER.index(row.heading))


def _heading(key: str) -> str:
    return _HEADINGS.get(key.partition(".")[0], _LIMITS)


def _flatten(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in spec.items():
        if key in _ELSEWHERE:
            continue
        if key in ("sampling", "early_termination"):
            inner = {"type": value or "none"} if not isinstance(value, Mapping) else value
            found += [(f"{key}.{name}", _text(part)) for name, part in inner.items()]
        elif isinstance(value, Mapping):
            found += [(f"{key}.{name}", _text(part)) for name, part in value.items()]
        else:
            found.append((key, _text(value)))
    return found


def _text(value: Any) -> str:
    """Write a value on one line; nothing at all for what is not set."""
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    return json.dumps(value, ensure_ascii=False)
