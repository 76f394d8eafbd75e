"""How much memory a process keeps to itself, and how often it looks for what is unused."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Awaitable, Callable
from typing import Any, Final

Application = Callable[[Any, Any, Any], Awaitable[None]]

# Parameters of mallopt(3) in the C library of GNU, and what they are set to: how many heaps there
# are, and from which size on something has pages of its own, which go back when it is let go of.
_MALLOC: Final = {-8: 2, -3: 1 << 18}
# New objects between two looks at the youngest; a page makes some ten thousand.
_YOUNG: Final = 20_000
# Seconds after a request: what follows it at once uses the same memory again.
_PAUSE: Final = 2.0


def share_heaps() -> None:
    """Let all threads of this process share two heaps, instead of each keeping one of its own.

    After the pages of a thousand runs were viewed that is 18 of 55 MB less. Other C libraries have
    no such heaps.
    """
    for parameter, value in _MALLOC.items():
        _call("mallopt", parameter, value)


def giving_back(application: Application) -> Application:
    """Return `application` that gives back what lies free in the heaps soon after its requests.

    Of the pages of a thousand runs that is as much as stays in use. Takes some milliseconds.
    """
    planned: list[asyncio.TimerHandle] = []

    def give_back() -> None:
        planned.clear()
        _call("malloc_trim", 0)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        try:
            await application(scope, receive, send)
        finally:
            if not planned:
                planned.append(asyncio.get_running_loop().call_later(_PAUSE, give_back))

    return serve


def _call(function: str, *arguments: int) -> None:
    try:
        ctypes.CDLL(None)[function](*arguments)
    except (AttributeError, OSError, TypeError):
        return


def settle() -> None:
    """Take what is loaded by now for what stays: nobody looks through it again for garbage.

    That was an eighth to a quarter of the processor time of a page.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)
