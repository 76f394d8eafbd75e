"""What the studio removes by itself, a little at a time: called by the watchdog at every tick.

Each look is short, so that it never keeps the controller from its work for long.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final

from experiments.services.leftovers import SNAPSHOT_GRACE, remove_unused_snapshots
from experiments.services.outputs import obey_rules
from experiments.services.purge import begin_overdue
from experiments.services.removals import carry_on_all
from experiments.services.sessions import forget_expired_sessions

_SECONDS: Final = 0.5
# What changes by the day is looked at every few minutes.
_SELDOM: Final = 300.0
_looked_at: list[float] = []


def look_after(now: datetime) -> None:
    """Begin what is due, then work on what has begun."""
    begin_overdue(now)
    obey_rules()
    carry_on_all(seconds=_SECONDS)
    if not _looked_at or time.monotonic() - _looked_at[0] >= _SELDOM:
        _looked_at[:] = [time.monotonic()]
        remove_unused_snapshots(now - SNAPSHOT_GRACE, seconds=_SECONDS)
        forget_expired_sessions()
