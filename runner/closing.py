"""What is done with a run when its process has ended: how it ended, which files of it are kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from experiments.models import Run
from experiments.services.outcome import RunOutcome
from experiments.services.runs import add_artifacts
from experiments.services.storage import run_directory
from runner import logs
from runner.memory import OutOfMemory
from runner.process import ExitRecord
from runner.reports import ReportFeed
from runner.workdir import (
    KEPT,
    LEFT_OUT,
    MOST_FILES,
    Workdir,
    keep_files,
    leave_out,
    list_kept,
    regular_files,
    tree_bytes,
)
from studio.sdk.uploads import UPLOADS, read_failure

logger = logging.getLogger(__name__)

_SHORT_LOG_BYTES: Final = 1 << 20


def read_outcome(
    record: ExitRecord,
    workdir: Workdir,
    *,
    is_timed_out: bool,
    killed_for: str,
    memory: OutOfMemory,
) -> RunOutcome:
    """Tell how the process of a run ended. Reads the log, so call it before that is cut."""
    if record.exec_error:
        return RunOutcome(bad_command=record.exec_error)
    failed = bool(record.code or record.signal)
    error_line = logs.error_line(workdir.std_log) if failed else ""
    if failed and not record.stopped:
        killed_for = killed_for or memory.explain(record, error_line)
    if not failed and not killed_for:
        killed_for = read_failure(workdir.failure_file)
    return RunOutcome(
        exit_code=record.code,
        signal=record.signal,
        error_line=error_line,
        stopped_by_us=record.stopped,
        timed_out=is_timed_out,
        killed_for=killed_for,
    )


def is_soon_kept(workdir: Workdir) -> bool:
    """Tell whether a run leaves nothing but a short log: nobody would see that it is finalizing."""
    trees = [workdir.path / name for name in (KEPT[0], UPLOADS)]
    trees += [workdir.code / name for name in KEPT]
    is_short = workdir.std_log.stat().st_size <= _SHORT_LOG_BYTES
    return is_short and not any(file for tree in trees for file in regular_files(tree))


def store_files(run_id: int, workdir: Workdir, tick: Callable[[], None]) -> int:
    """Keep the files of a run and note them; return the size of its outputs in bytes.

    Calls `tick` in between: gigabytes take longer to read than a lease lasts.
    """
    keep_files(workdir)
    left_out = leave_out(workdir, MOST_FILES, tick)
    if left_out:
        text = (
            f"{left_out} files left out: a run keeps at most {MOST_FILES}. Put many files into an "
            f"archive. They lie in {workdir.path / LEFT_OUT} until the run is deleted, or its "
            "files are moved elsewhere."
        )
        logs.add_notice(workdir.std_log, text)
    kept = list_kept(workdir, tick)
    add_artifacts(run_id, [(file.path, file.size, file.digest) for file in kept])
    return tree_bytes(workdir.path / KEPT[0])


def save_reports(run: Run) -> None:
    """Store what is left in the journal of a run whose executor died on this machine."""
    workdir = _workdir_of(run)
    if workdir.journal.exists():
        feed = ReportFeed(run.pk, run.fence, workdir.journal, offset=run.last_seq)
        feed.drain()


def save_files(run: Run) -> None:
    """Keep the files of a run whose executor died on this machine."""
    workdir = _workdir_of(run)
    if workdir.code.exists():
        store_files(run.pk, workdir, lambda: None)


def _workdir_of(run: Run) -> Workdir:
    """Return the directory of a run, also when its executor died before it could say so."""
    if Path(run.directory).is_absolute():
        return Workdir(Path(run.directory))
    return Workdir(run_directory(run.sweep.public_id, run.number, run.fence))
