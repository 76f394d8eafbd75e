"""The threads in which requests and sockets work: they keep their connection to the database.

By itself Django's ASGI handler makes a thread for each request and ends it afterwards, and with it
the connection: of SQLite with its fifty functions, of PostgreSQL with its handshake. Requests take
turns: Python runs one thread at a time, and where many want to, each waits at every statement.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeVar

from asgiref.sync import ThreadSensitiveContext
from django.db import connections

T = TypeVar("T")
Application = Callable[[Any, Any, Any], Awaitable[None]]
# So many are kept for the next requests; more are made while more requests are answered at once.
KEPT_THREADS: Final = 8
# Seconds that a connection is used again; each request looks first whether it still works.
_CONNECTION_LIFE: Final = 600
# Of 4 kB, that each thread keeps of a SQLite file.
_PAGES: Final = 100
# Seconds after which a thread that computes lets another one on; sockets must not wait for long.
_SWITCH: Final = 0.001


def keep_connections() -> None:
    """Let the threads of this process keep their connections between requests."""
    for alias in connections:
        connections.settings[alias].update(CONN_MAX_AGE=_CONNECTION_LIFE, CONN_HEALTH_CHECKS=True)


def keep_few_pages() -> None:
    """Let the threads of this process keep little of a SQLite file in memory.

    What is mapped counts as memory of the process, up to the size of the map, and the pages that
    each thread keeps beside it nearly as much; the machine keeps them once for all.
    """
    for alias in connections:
        options = connections.settings[alias].get("OPTIONS", {})
        if command := options.get("init_command"):
            command = f"{command} PRAGMA cache_size={_PAGES}; PRAGMA mmap_size=0;"
            connections.settings[alias]["OPTIONS"] = options | {"init_command": command}


def switch_often() -> None:
    """Let what answers sockets on soon while requests compute."""
    sys.setswitchinterval(_SWITCH)


class Turns:
    """Lets so many calls work at once, each after `patience` seconds at the latest."""

    def __init__(self, at_once: int, patience: float) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._patience = patience

    def take(self, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return what `call` does when it is its turn; raises what it raises."""
        has_turn = self._free.acquire(timeout=self._patience)
        try:
            return call(*arguments, **named)
        finally:
            if has_turn:
                self._free.release()


def in_kept_threads(application: Application) -> Application:
    """Return `application` with each request answered in one thread, the one used last if free."""
    free: list[ThreadPoolExecutor] = []

    def give_back(thread: ThreadPoolExecutor) -> None:
        if len(free) < KEPT_THREADS:
            free.append(thread)
        else:
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        thread = free.pop() if free else ThreadPoolExecutor(1, "request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await application(scope, receive, send)
        finally:
            loop = asyncio.get_running_loop()

            def is_free(_: Future[None]) -> None:
                # Not where the server has ended meanwhile.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(give_back, thread)

            # The view of a client that hung up may still be at work in it.
            thread.submit(_nothing).add_done_callback(is_free)

    return serve


def in_one_thread(application: Application) -> Application:
    """Return `application` (of websockets) with what must not be parallel done in one thread.

    A connection may have carried a request before it became a socket. What asyncio hands on of that
    request names its thread, which is not the socket's any more.
    """
    shared = ThreadPoolExecutor(1, thread_name_prefix="sockets")

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext(executor=shared):
            await application(scope, receive, send)

    return serve


def _nothing() -> None:
    """Take a turn."""
