"""MLflow's logging: metrics into the journal of the run, parameters and tags onto it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from pydantic_core import to_json

from experiments.api.auth import Caller
from experiments.api.mlflow.fields import MOST_NAME, MOST_TEXT, Fields
from experiments.api.mlflow.who import Target, writable
from experiments.api.mlflow.wire import MlflowError
from experiments.models import Run
from experiments.services.logged_marks import log_marks
from experiments.services.posted_reports import PostedReport, append_once, lines_of
from experiments.states import RunState
from experiments.storable import is_storable
from studio.sdk.journal import format_plain

_LONGEST_TIME: Final = 10**14  # milliseconds: the year 5138
_STEPS: Final = 2**53
_START_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.05
_PARTS: Final = tuple(map(itemgetter, ("key", "value", "timestamp", "step")))


def log_metric(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Report one value."""
    target = writable(caller, _run_id(fields))
    _append(target, _usual_lines(target, [fields.raw]) or lines_of([_report(target, fields)]))
    return {}


def log_batch(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Report up to 1000 values, and parameters and tags with them; wrong ones change nothing."""
    target = writable(caller, _run_id(fields))
    lines = _usual_lines(target, fields.objects("metrics")) or lines_of(
        [_report(target, item) for item in fields.messages("metrics")]
    )
    params = _marks(target, fields.messages("params"))
    tags = _marks(target, fields.messages("tags"))
    if params or tags:
        log_marks(target.run, params=params, tags=tags)
    if lines:
        _append(target, lines)
    return {}


def log_param(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Log one parameter, once; the same value again is no mistake."""
    target = writable(caller, _run_id(fields))
    log_marks(target.run, params=_marks(target, [fields]))
    return {}


def set_tag(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Set one tag."""
    target = writable(caller, _run_id(fields))
    log_marks(target.run, tags=_marks(target, [fields]))
    return {}


def delete_tag(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Remove one tag."""
    target = writable(caller, _run_id(fields))
    name = target.prefix + fields.text("key")
    if name not in target.run.tags:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"The run has no tag '{fields.text('key')}'.")
    log_marks(target.run, removed_tags=[name])
    return {}


def started(run: Run) -> Run:
    """Return a run whose process has been noted: a quick script is faster than its executor.

    Raises:
        MlflowError: it still starts after some seconds; clients try again.
    """
    deadline = time.monotonic() + _START_SECONDS
    while run.state == RunState.STARTING or not run.directory:
        if run.state not in (RunState.STARTING, RunState.CANCEL_REQUESTED):
            break
        if time.monotonic() > deadline:
            raise MlflowError("TEMPORARILY_UNAVAILABLE", "The run is starting; try again.")
        time.sleep(_LOOK_SECONDS)
        run.refresh_from_db(fields=["state", "directory", "host"])
    return run


def _run_id(fields: Fields) -> str:
    # Clients before 1.0 say run_uuid.
    return fields.text("run_id" if fields.has("run_id") else "run_uuid", most=256)


def _usual_lines(target: Target, items: Sequence[Mapping[str, Any]]) -> str:
    """Return the lines of reports as clients write them; "" when each has to be looked at.

    Column by column: a look at each of a thousand reports takes most of what a batch costs.
    """
    try:
        names, values, times, steps = (list(map(part, items)) for part in _PARTS)
    except KeyError:  # a part is missing
        return ""
    if not (_are(float, values) and _are(int, times) and _are(int, steps) and _are(str, names)):
        return ""
    are_usual = (
        all(map(math.isfinite, values))
        and min(times) >= 0
        and max(times) <= _LONGEST_TIME
        and min(steps) >= -_STEPS
        and max(steps) <= _STEPS
        and all(0 < len(name) <= MOST_NAME and is_storable(name) for name in set(names))
    )
    if not are_usual:
        return ""
    whole_names = [target.prefix + name for name in names] if target.prefix else names
    seconds = [milliseconds / 1000 for milliseconds in times]
    return format_plain(whole_names, shown(values), seconds, steps)


def shown(values: Sequence[float]) -> list[str]:
    """Return finite numbers as `repr` writes them, in a fifth of its time.

    Both write the fewest digits that are read as the same number, and agree where neither writes
    an exponent.
    """
    text = to_json(values)
    if b"e" in text or b"0.0000" in text:
        return list(map(repr, values))
    return text[1:-1].decode().split(",")


def _are(kind: type, values: Sequence[object]) -> bool:
    return set(map(type, values)) == {kind}


def _report(target: Target, fields: Fields) -> PostedReport:
    milliseconds = fields.whole("timestamp", round(time.time() * 1000), most=_LONGEST_TIME)
    return PostedReport(
        target.prefix + fields.text("key"),
        fields.number("value"),
        float(fields.whole("step", 0, least=-_STEPS, most=_STEPS)),
        milliseconds / 1000,
    )


def _marks(target: Target, items: Iterable[Fields]) -> dict[str, str]:
    return {
        target.prefix + item.text("key"): item.text("value", "", most=MOST_TEXT) for item in items
    }


def _append(target: Target, lines: str) -> None:
    append_once(started(target.run), lines)
