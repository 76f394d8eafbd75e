"""Brings the files of ended runs to the bucket, in a thread of the process that watches.

What cannot be brought now stays on the disk, where pages read it, and is tried again; the sweep's
log says so, once when it begins and once when it is over.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Final

from django.db import close_old_connections

from experiments.models import Run
from experiments.services.stored_runs import ended_runs_on_disk, note_in_log, store_run
from runner.closing import save_files
from runner.process import is_dead, this_process
from runner.workdir import Workdir

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 2.0
# A storage that is away is not asked more often than this.
_REST_SECONDS: Final = 30.0
# One run that the storage does not take holds up no others.
_PATIENCE: Final = 3


class Mover:
    """Looks at the disk for ended runs."""

    def __init__(self) -> None:
        self._problems: dict[int, str] = {}

    def look(self) -> int:
        """Store every run that can be; return how many.

        Raises:
            OSError: several in a row could not; those that are left have to wait.
        """
        done = failed = 0
        for run, folder in ended_runs_on_disk():
            try:
                if _is_complete(run, folder) and store_run(run, folder):
                    done, failed = done + 1, 0
                    self._tell_end(run)
            except FileNotFoundError:
                continue  # somebody else was faster
            except OSError as error:
                logger.warning("run %s stays on the disk: %s", run.public_id, error)
                self._tell_problem(run, str(error))
                failed += 1
                if failed == _PATIENCE:
                    raise
        return done

    def _tell_problem(self, run: Run, problem: str) -> None:
        if run.sweep_id not in self._problems:
            text = "and those of later runs stay on the studio's disk until it does"
            note_in_log(
                run.sweep_id,
                f"Run {run.number}: the storage does not take its files; they {text}. {problem}",
            )
        self._problems[run.sweep_id] = problem

    def _tell_end(self, run: Run) -> None:
        if self._problems.pop(run.sweep_id, ""):
            note_in_log(run.sweep_id, "The storage takes files of runs again.")


def start_mover() -> threading.Thread:
    """Look again and again, until the process ends; what that interrupts is done again."""
    thread = threading.Thread(target=_work, name="mover", daemon=True)
    thread.start()
    return thread


def _work() -> None:
    mover, pause = Mover(), threading.Event()
    while True:
        rest = _LOOK_SECONDS
        close_old_connections()
        try:
            mover.look()
        except OSError:
            rest = _REST_SECONDS
        except Exception:
            logger.exception("mover")
            rest = _REST_SECONDS
        pause.wait(rest)


def _is_complete(run: Run, folder: Path) -> bool:
    """Tell whether all files of an ended run are where they are kept."""
    if (folder / "incoming").exists():  # a machine is sending them
        return False
    if not Workdir(folder).code.exists():
        return True
    if run.host == this_process().host and is_dead(
        run.executor_pid or 0, run.executor_started or 0.0
    ):
        save_files(run)
        return True
    return False
