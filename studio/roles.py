"""What the processes of `studio up` do: each is a fork of the supervisor, which has loaded it all.

Loading opens nothing: no connection, no thread, no file that two processes could not share.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from socket import socket
from types import FrameType
from typing import Any, Final

import uvicorn

# Seconds for answers that are on their way at the end; open websockets would hold it back.
_GRACE: Final = 3
# Longer than clients and proxies keep a connection that nobody uses (5 and 60 seconds): whoever
# closes it must not be the one that a request may be on its way to.
_KEEP_ALIVE: Final = 75
_TICK: Final = 1.0
# What the others need beside what preparing needs; it is loaded while that goes on.
_MODULES: Final = (
    "runner.management.commands.studio_watchdog",
    "runner.management.commands.studio_worker",
    "experiments.routing",
    "experiments.api.mlflow.asgi",
    "studio.body_limits",
    "studio.one_segment",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.websockets.auto",
)


def load_preparation() -> None:
    """Load Django, the models and the services; they read the environment now."""
    import_module("studio.prepare")


def load_others() -> None:
    """Load what the web server, the watchdog and the workers need, all addresses included."""
    for name in _MODULES:
        import_module(name)
    from django.urls import get_resolver  # noqa: PLC0415 - needs the settings

    for pattern in get_resolver().url_patterns:
        # Included tables of addresses are made when they are first looked at.
        list(getattr(pattern, "url_patterns", ()))


def load_application() -> None:
    """Make the application; it looks at the static files, which must be there by now."""
    import_module("studio.asgi")


def prepare(*, with_example: bool) -> None:
    """Make database and files ready; prints one JSON object."""
    from studio.prepare import main  # noqa: PLC0415 - loaded by now

    sys.exit(main(with_example=with_example))


@dataclass(frozen=True, slots=True)
class WebServer:
    """One of the processes that take connections from the same sockets.

    `folder` is where they find each other; `ready` is an event that counts those that answer.
    """

    listeners: Sequence[socket]
    number: int
    folder: Path
    ready: int

    def serve(self) -> None:
        """Answer until told to stop."""
        from studio.http_metrics import COUNTS  # noqa: PLC0415 - loaded by now
        from studio.one_segment import OneSegment  # noqa: PLC0415
        from studio.web_processes import WEB_PROCESSES  # noqa: PLC0415

        WEB_PROCESSES.join(self.folder, self.number)
        COUNTS.share(self.folder, self.number)
        from studio.served import application  # noqa: PLC0415 - changes its process

        config = uvicorn.Config(
            application,
            http=OneSegment,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        _Server(config, self.ready).run(list(self.listeners))


class _Server(uvicorn.Server):
    """Says when it takes connections, and rests while nothing happens.

    By itself it looks ten times a second whether it was told to stop.
    """

    def __init__(self, config: uvicorn.Config, ready: int) -> None:
        super().__init__(config)
        self._ready = ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, then say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        os.eventfd_write(self._ready, 1)

    async def main_loop(self) -> None:
        """Set the clock of answers every second, until told to stop."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _TICK)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a request to stop, at once."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)


def run_command(name: str, **options: Any) -> None:
    """Do what a management command does, until told to stop."""
    from django.core.management import CommandError, call_command  # noqa: PLC0415

    try:
        call_command(name, **options)
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.returncode)
