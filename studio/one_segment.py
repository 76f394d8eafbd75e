"""The web server's end of a connection: head and body of a small answer leave in one segment.

With two of them a client wakes up twice for every answer, and one that waits for an acknowledgement
waits. What is written in one turn of the event loop goes out together.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

# Streams go out as they come: somebody may have to wait until the client has taken some.
_MOST_BYTES: Final = 1 << 16


class JoiningTransport:
    """Gathers what is written until the event loop turns; everything else is the transport's."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send with what else is written in this turn."""
        if not data:
            return
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what was gathered."""
        if self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces, self._size = [], 0
            self.transport.write(data)

    def close(self) -> None:
        """Send what was gathered, then close."""
        self.flush()
        self.transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


class OneSegment(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen when it is imported
    """The protocol that the server has chosen, on a transport that gathers."""

    transport: Any

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin a connection."""
        super().connection_made(JoiningTransport(transport))

    def handle_websocket_upgrade(self, *event: Any) -> None:
        """Hand the connection over as it was: frames of websockets are whole already."""
        gathering: JoiningTransport = self.transport
        gathering.flush()
        self.transport = gathering.transport
        super().handle_websocket_upgrade(*event)
