"""Texts of files as values: numbers, truth values, states and times as other tools write them.

Pure.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any, Final

from experiments.states import EndReason, RunState

_INT: Final = re.compile(r"[+-]?\d{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORDS: Final = {"true": True, "false": False}
_MISSING: Final = frozenset({"", "nan", "null", "none", "n/a"})
_SPECIAL: Final = {
    "nan": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
    "-inf": -math.inf,
    "-infinity": -math.inf,
}
_EARLY: Final = (RunState.CANCELED, EndReason.POLICY)
# What tools, this studio among them, call how a run ended.
_STATES: Final[dict[str, tuple[RunState, EndReason | None]]] = {
    **dict.fromkeys(
        ("completed", "complete", "finished", "success", "succeeded", "terminated", "ok"),
        (RunState.COMPLETED, None),
    ),
    **dict.fromkeys(("failed", "fail", "crashed", "error", "preempted"), (RunState.FAILED, None)),
    **dict.fromkeys(("canceled", "cancelled", "killed"), (RunState.CANCELED, None)),
    **dict.fromkeys(("stopped early", "pruned", "stopped_early"), _EARLY),
    **dict.fromkeys(("running", "pending"), (RunState.RUNNING, None)),
    **dict.fromkeys(("queued", "waiting", "scheduled", "not started"), (RunState.QUEUED, None)),
}
STATE_WORDS: Final = "completed, failed, canceled, pruned, running or queued"


def typed(text: str) -> Any:
    """Return what a text stands for: a number, true, false, a JSON list or object; else itself.

    None: there is nothing.

    >>> typed("16"), typed("1e-3"), typed("True"), typed("adam"), typed(""), typed("'=a")
    (16, 0.001, True, 'adam', None, '=a')
    """
    text = text.strip()
    if text.lower() in _MISSING:
        return None
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text) if math.isfinite(float(text)) else text
    if text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return unquoted(text)


def unquoted(text: str) -> str:
    """Return a text without the mark that keeps spreadsheets from running it as a formula."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@\t\r" else text


def metric_value(text: str) -> float | None:
    """Return the number of a text; None: it is none.

    >>> metric_value("0.5"), metric_value("-Infinity"), metric_value("five")
    (0.5, -inf, None)
    """
    text = text.strip()
    if text.lower() in _SPECIAL:
        return _SPECIAL[text.lower()]
    return float(text) if _NUMBER.fullmatch(text) else None


def state_of(word: str) -> tuple[str, str] | None:
    """Return the state and, where the word says it, the end reason; None: the word is unknown."""
    found = _STATES.get(word.strip().lower())
    return None if found is None else (str(found[0]), str(found[1] or ""))


def moment_of(raw: Any) -> datetime | None:
    """Return a time from ISO 8601 (UTC where no offset is given) or Unix seconds; else None."""
    try:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return datetime.fromtimestamp(raw, UTC)
        moment = datetime.fromisoformat(str(raw).strip().replace(" UTC", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
