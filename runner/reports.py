"""The way of reports from the journal of a run to the database, block by block, exactly once.

How often is up to the database: many runs at once make it slower, and then each asks less often.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from experiments.services import metrics
from experiments.services.compaction import compact_ended
from runner.tail import JournalTail


@dataclass(frozen=True, slots=True)
class Flushed:
    """What one look at the journal brought: whether it moved on, and the primary metric with it."""

    has_moved: bool
    has_primary: bool


# The part of its time that an executor spends with the database, waiting for others included.
_SHARE: Final = 0.1
_LONGEST: Final = 2.0
# The part that the last exchange has in how long they take: one that had to wait for somebody says
# little about the next.
_LAST: Final = 0.25


class Pace:
    """How long to wait before the next exchange with the database."""

    def __init__(self, shortest: float) -> None:
        self._shortest = shortest
        self._lately = 0.0
        self.seconds = shortest

    def note(self, took: float, *, is_behind: bool) -> None:
        """Take how many seconds an exchange took; one that left a rest is followed at once."""
        self._lately += _LAST * (took - self._lately)
        pause = min(max(self._lately / _SHARE, self._shortest), _LONGEST)
        self.seconds = 0.0 if is_behind else pause


class ReportFeed:
    """Reads one journal and stores what it reads for one attempt at a run."""

    def __init__(self, run_id: int, fence: int, journal: Path, *, offset: int = 0) -> None:
        self._run_id = run_id
        self._fence = fence
        self._tail = JournalTail(journal, offset)

    @property
    def is_behind(self) -> bool:
        """Whether there was more to store than one block the last time."""
        return self._tail.is_behind

    def flush(self) -> Flushed:
        """Store the next block of new reports; when that fails, the next call tries it again.

        Raises:
            StaleState: the run belongs to another attempt by now.
        """
        before = self._tail.offset
        reports = self._tail.read()
        if not reports:
            return Flushed(has_moved=self._tail.offset != before, has_primary=False)
        try:
            result = metrics.record_reports(self._run_id, self._fence, reports)
        except BaseException:
            self._tail.offset = before
            raise
        return Flushed(has_moved=True, has_primary=bool(result.new_primary))

    def store_all(self) -> bool:
        """Store everything up to the last whole line; tell whether there was anything new."""
        has_moved = False
        while self.flush().has_moved:
            has_moved = True
        return has_moved

    def drain(self, *, is_packed: bool = False) -> None:
        """Store everything up to the last whole line, in few rows if the run has ended.

        `is_packed`: what was stored before this is in few rows already.
        """
        if self.store_all() or not is_packed:
            compact_ended(self._run_id)
