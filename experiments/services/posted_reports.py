"""Take reports that came over HTTP: as lines of the run's own journal, like those of its script.

One way for every report: the executor's tail reads them, numbers them and lets the policy judge.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from experiments.models import Run
from experiments.services.transitions import StaleState
from experiments.states import RunState
from studio.sdk.run import format_report

# In these the executor still reads the journal.
_OPEN: Final = frozenset({RunState.RUNNING, RunState.NOT_RESPONDING})
_JOURNAL: Final = "metrics.jsonl"
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
    _check_open(run)
    lines = "".join(
        format_report(report.name, report.value, step=report.step, time=report.time)
        for report in reports
    )
    journal = _open_journal(run)
    try:
        # One write of an O_APPEND file: lines of the script never end up inside of it.
        os.write(journal, lines.encode("utf-8"))
    finally:
        os.close(journal)
    # A run that began to finalize meanwhile may have read its journal for the last time.
    _check_open(Run.objects.only("state").get(pk=run.pk))


def _open_journal(run: Run) -> int:
    """Open the run's journal, or what its worker on another machine fetches for its journal."""
    for name in (_JOURNAL, POSTED):
        with suppress(OSError):
            return os.open(Path(run.directory) / name, os.O_WRONLY | os.O_APPEND)
    raise StaleState(
        f"The journal of this run is on '{run.host}', where it runs; report from its script."
    )


def _check_open(run: Run) -> None:
    if run.state not in _OPEN:
        raise StaleState(f"The run is {run.state}; it takes reports only while it is Running.")
