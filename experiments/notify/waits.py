"""How long a delivery waits before it is tried again."""

from __future__ import annotations

from typing import Final

# 10 s, 40 s, 3 min, 11 min, 43 min, 3 h, 8 h, 8 h: nine attempts within a day.
MOST_ATTEMPTS: Final = 9
_FIRST: Final = 10.0
_FACTOR: Final = 4.0
_LONGEST: Final = 8 * 3600.0
_JITTER: Final = 0.25
# A receiver may ask for more time, but not for ever.
_LONGEST_ASKED: Final = 6 * 3600.0


def wait_before(attempt: int, *, luck: float, asked: float | None = None) -> float:
    """Return the seconds between attempt number `attempt` (from 1), which failed, and the next.

    `luck` in [0, 1) spreads them by a quarter, so that what failed together does not come back
    together. `asked` is the receiver's Retry-After.
    """
    wait = min(_LONGEST, _FIRST * _FACTOR ** min(attempt - 1, 20))
    wait *= 1 - _JITTER + 2 * _JITTER * luck
    return max(wait, min(asked, _LONGEST_ASKED)) if asked is not None else wait
