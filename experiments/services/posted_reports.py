"""Take reports that came over HTTP: as lines of the run's own journal, like those of its script.

One way for every report: the executor's tail reads them, numbers them and lets the policy judge.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from experiments.models import Run
from experiments.queries.reporting import state_of
from experiments.services.journal_memory import SMALL, Memories
from experiments.services.transitions import StaleState
from experiments.states import RunState
from studio.sdk.run import format_report

# In these the executor still reads the journal.
_OPEN: Final = frozenset({RunState.RUNNING, RunState.NOT_RESPONDING})
_JOURNAL: Final = "metrics.jsonl"
# While a run is stopped its script may still say what it has: the journal is read to its end.
_OPEN_FOR_ITS_SCRIPT: Final = _OPEN | {RunState.CANCEL_REQUESTED}
# What is known of the ends of journals: a client may send a report again.
_memories: Final = Memories()
# Beside the files that a worker on another machine sends; it fetches the lines every second.
POSTED: Final = "posted.jsonl"


@dataclass(frozen=True, slots=True)
class PostedReport:
    """One value of a metric as a client sent it; `time` in Unix seconds."""

    name: str
    value: float | str
    step: float | None
    time: float


def append_reports(run: Run, reports: Sequence[PostedReport]) -> None:
    """Append reports to the journal of a running run, all in one write.

    Raises:
        StaleState: the run does not run (any more), or it runs on another machine.
    """
    _check_state(run.state)
    journal = _open_journal(run)
    try:
        # One write of an O_APPEND file: lines of the script never end up inside of it.
        os.write(journal, lines_of(reports).encode("utf-8"))
    finally:
        os.close(journal)
    # A run that began to finalize meanwhile may have read its journal for the last time.
    _check_state(state_of(run.pk))


def lines_of(reports: Sequence[PostedReport]) -> str:
    """Return the lines of the journal that say this."""
    return "".join(
        format_report(report.name, report.value, step=report.step, time=report.time)
        for report in reports
    )


def append_once(run: Run, lines: str) -> None:
    """Append those reports that are not in the journal: a client may send a request again.

    `lines`: as `lines_of` or `format_plain` make them. A report is the same when name, value, step
    and time are. The last megabyte is remembered, about 14 000 reports.

    Raises:
        StaleState: the run does not run (any more), or it runs on another machine.
        OSError: the disk did not take all of them.
    """
    _check_state(run.state, _OPEN_FOR_ITS_SCRIPT)
    wanted = lines.encode("utf-8")
    journal = _open_journal(run)
    try:
        # Two requests with one report must not both look before either writes.
        fcntl.flock(journal, fcntl.LOCK_EX)
        _append(journal, wanted)
    finally:
        os.close(journal)
    _check_state(state_of(run.pk), _OPEN_FOR_ITS_SCRIPT)


def _append(journal: int, wanted: bytes) -> None:
    size = os.fstat(journal).st_size
    lines = wanted.splitlines(keepends=True)
    if len(lines) == 1 and size <= SMALL and _memories.find(journal) is None:
        # Lines begin where others end, so a search for text finds whole lines only.
        if b"\n" + wanted not in b"\n" + os.pread(journal, size, 0):
            _write(journal, size, wanted)
        return
    memory = _memories.of(journal)
    memory.catch_up(journal)
    fresh = memory.unknown(lines)
    data = wanted if len(fresh) == len(lines) else b"".join(fresh.values())
    if fresh and _write(journal, size, data):
        memory.note(fresh, size, len(data))


def _write(journal: int, size: int, data: bytes) -> bool:
    """Write at the end; tell whether the data is all that has come behind `size`."""
    # Half a line that a full disk left is ended, so that the next one does not grow onto it.
    is_whole = not size or os.pread(journal, 1, size - 1) == b"\n"
    data = data if is_whole else b"\n" + data
    if os.write(journal, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return is_whole and os.fstat(journal).st_size == size + len(data)


def _open_journal(run: Run) -> int:
    """Open the run's journal, or what its worker on another machine fetches for its journal."""
    for name in (_JOURNAL, POSTED):
        with suppress(OSError):
            return os.open(Path(run.directory) / name, os.O_RDWR | os.O_APPEND)
    raise StaleState(
        f"The journal of this run is on '{run.host}', where it runs; report from its script."
    )


def _check_state(state: str, states: frozenset[RunState] = _OPEN) -> None:
    if state not in states:
        raise StaleState(f"The run is {state}; it takes reports only while it is Running.")
