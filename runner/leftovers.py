"""Attempts on this machine whose executor is gone, where the studio does not see the files.

What they left is sent before it is removed: reports first, then the end of the run, then the files.
Done when a worker starts and after each of its runs; twice does no harm.
"""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings

from experiments.models import Run
from experiments.services.recovery import lose_run
from experiments.services.transitions import StaleState
from runner.process import is_dead, kill_marked, this_process
from runner.remote_storage import ATTEMPT_FILE, Attempt
from runner.reports import ReportFeed
from runner.storage import reopened_storage
from runner.workdir import Workdir
from studio.sdk.run import RUN_VARIABLE

logger = logging.getLogger(__name__)

_NO_TICK: Final = lambda: None  # noqa: E731 - nobody holds a lease any more


def settle_leftovers() -> int:
    """Send and remove what dead executors left on this machine; return how many could be settled.

    An attempt that cannot be settled now (the studio is away) is tried again the next time.
    """
    done = 0
    for path in _attempts():
        try:
            done += _settle(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("left for later: %s: %s", path.parent, error)
    return done


def _attempts() -> Iterator[Path]:
    return (Path(settings.STUDIO_STORAGE_ROOT) / "runs").glob(f"*/*/{ATTEMPT_FILE}")


def _settle(path: Path) -> bool:
    attempt = Attempt(**json.loads(path.read_text()))
    if not is_dead(attempt.pid, attempt.started):
        return False
    with path.open() as lock:
        try:
            # Each slot of this machine looks: one of them settles.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        kill_marked(RUN_VARIABLE, attempt.run)
        run = Run.objects.filter(pk=attempt.run_id, fence=attempt.fence).first()
        if run is None:  # deleted, or taken by another attempt
            shutil.rmtree(path.parent, ignore_errors=True)
            return True
        _send(run, attempt, Workdir(path.parent))
    return True


def _send(run: Run, attempt: Attempt, workdir: Workdir) -> None:
    try:
        ReportFeed(run.pk, attempt.fence, workdir.journal, offset=run.last_seq).drain()
    except StaleState as error:
        logger.warning("run %s: %s", attempt.run, error)
    host = this_process().host
    lose_run(run.pk, reason=f"Its worker process on {host} died.", fence=attempt.fence)
    storage = reopened_storage(attempt, workdir)
    storage.keep(_NO_TICK)
    storage.close()
