"""How late reports are stored, over the last hour: from the counts that all processes add up.

The counts only grow, so what they were a while ago is kept beside them whenever somebody looks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import redis

from experiments.services import counters

_KEY: Final = "studio:report-delays"
# One note every five minutes, for an hour.
_NOTE_SECONDS: Final = 300.0
_MOST_NOTES: Final = 13
_FIELDS: Final = (
    counters.REPORTS,
    counters.DELAY_SUM,
    *(counters.delay_field(end) for end in counters.DELAY_BUCKETS),
)


@dataclass(frozen=True, slots=True)
class ReportDelay:
    """Reports stored in the last `seconds`, and how late; a share came in less than a time.

    `median` and `late` (of 95 in 100) are ends of buckets; None: later than all of them.
    """

    count: int
    seconds: float
    mean: float
    median: float | None
    late: float | None


def report_delay(server: redis.Redis) -> ReportDelay:
    """Return the delay of reports since the oldest note of the last hour, or of all.

    Raises:
        RedisError: the server does not answer.
    """
    now, known = time.time(), counters.read(server)
    notes = [json.loads(raw) for raw in _notes(server)]
    recent = [note for note in notes if now - note["at"] < _NOTE_SECONDS * _MOST_NOTES]
    # Redis lost its data: what was counted earlier is no beginning.
    recent = [note for note in recent if note[counters.REPORTS] <= known.get(counters.REPORTS, 0)]
    if not recent or now - recent[-1]["at"] >= _NOTE_SECONDS:
        note = {"at": now, **{field: known.get(field, 0.0) for field in _FIELDS}}
        with server.pipeline(transaction=False) as pipeline:
            pipeline.rpush(_KEY, json.dumps(note))
            pipeline.ltrim(_KEY, -_MOST_NOTES, -1)
            pipeline.execute()
    before = recent[0] if recent else {"at": now}
    return _delay({f: known.get(f, 0.0) - before.get(f, 0.0) for f in _FIELDS}, now - before["at"])


def _notes(server: redis.Redis) -> list[Any]:
    found: Any = server.lrange(_KEY, 0, -1)
    return list(found)


def _delay(amounts: Mapping[str, float], seconds: float) -> ReportDelay:
    count = round(amounts[counters.REPORTS])
    mean = amounts[counters.DELAY_SUM] / count if count else 0.0
    return ReportDelay(
        count, seconds, mean, _quantile(amounts, count, 0.5), _quantile(amounts, count, 0.95)
    )


def _quantile(amounts: Mapping[str, float], count: int, share: float) -> float | None:
    upto = 0.0
    for end in counters.DELAY_BUCKETS:
        upto += amounts[counters.delay_field(end)]
        if upto >= share * count:
            return end
    return None
