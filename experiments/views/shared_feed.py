"""What the change feed tells those with a link to share: states and values, no words of scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Everything else of an event stays in the studio.
_OF_RUN: Final = frozenset(
    {
        *("number", "status", "label", "css", "icon", "end_reason", "hyperparameters", "best"),
        *("last", "reports", "duration", "created", "started", "ended"),
    }
)
_OF_SWEEP: Final = frozenset(
    {"status", "label", "css", "icon", "end_reason", "counts", "stopped_early", "started", "ended"}
)
_OF_METRICS: Final = frozenset(
    {"type", "cursor", "number", "metric", "first", "values", "steps", "times"}
)
_OF_BEST: Final = frozenset({"type", "cursor", "number", "value"})


def public_event(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what of an event may leave the studio; None: nothing."""
    match event["type"]:
        case "run":
            return {**_head(event), "run": _only(event["run"], _OF_RUN)}
        case "sweep":
            return {**_head(event), "sweep": _only(event["sweep"], _OF_SWEEP)}
        case "metrics":
            return _only(event, _OF_METRICS)
        case "best":
            return _only(event, _OF_BEST)
    return None


def _head(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": event["type"], "cursor": event["cursor"]}


def _only(values: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}
