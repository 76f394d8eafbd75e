"""One POST to one checked address: no redirects, no proxy, and limits on time and answer.

http.client of the standard library, because its connection can be told which address to go to while
name and certificate stay those of the URL; requests and httpx resolve by themselves.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from experiments.notify.addresses import AddressRefused, Target, resolve

TIMEOUT_SECONDS: Final = 10.0
_MOST_BYTES: Final = 4096
_MOST_TEXT: Final = 300
# An address that does not answer may take half of the time, so that another one gets its chance.
_MOST_ADDRESSES: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt. `is_final`: trying again would change nothing."""

    duration: float
    status: int | None = None
    text: str = ""
    error: str = ""
    retry_after: float | None = None
    is_final: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether the receiver took it."""
        return not self.error


@dataclass(slots=True)
class _Deadline:
    """Closes the socket when the time is over: a receiver that drips bytes renews every timeout."""

    at: float
    sock: socket.socket | None = None
    is_over: bool = field(default=False)

    def left(self) -> float:
        return max(0.05, self.at - time.monotonic())

    def end(self) -> None:
        self.is_over = True
        if self.sock is not None:
            with suppress(OSError):
                # Not SSLSocket's own, which takes TLS away under the thread that reads.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _Connection(http.client.HTTPConnection):
    """A connection to one of the addresses that were checked, whatever its name resolves to now."""

    def __init__(self, target: Target, addresses: list[str], deadline: _Deadline) -> None:
        super().__init__(target.host, target.port)
        self._target, self._addresses, self._deadline = target, addresses, deadline

    def connect(self) -> None:
        raw = self._open()
        self._deadline.sock = raw
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            safe = context.wrap_socket(
                raw, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self.sock = self._deadline.sock = safe
            safe.do_handshake()
            return
        self.sock = raw

    def _open(self) -> socket.socket:
        problem: OSError = OSError("no address")
        chosen = self._addresses[:_MOST_ADDRESSES]
        for i, address in enumerate(chosen):
            left = self._deadline.left()
            share = left if i == len(chosen) - 1 else left / 2
            try:
                sock = socket.create_connection((address, self._target.port), timeout=share)
            except OSError as error:
                problem = error
                continue
            sock.settimeout(self._deadline.left())
            return sock
        raise problem


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    timeout: float = TIMEOUT_SECONDS,
) -> Answer:
    """Post `body` and return what became of it; never raises for a fault of the receiver."""
    begin = time.monotonic()
    try:
        addresses = resolve(target, allow_private=allow_private)
    except AddressRefused as refusal:
        return Answer(time.monotonic() - begin, error=str(refusal), is_final=True)
    except (OSError, UnicodeError) as error:
        text = f"The name {target.host} is not known: {_words(error)}"
        return Answer(time.monotonic() - begin, error=text)
    deadline = _Deadline(begin + timeout)
    timer = threading.Timer(deadline.left(), deadline.end)
    timer.daemon = True
    timer.start()
    connection = _Connection(target, addresses, deadline)
    try:
        connection.request("POST", target.path, body, _headers(target, headers))
        response = connection.getresponse()
        text = response.read(_MOST_BYTES).decode("utf-8", "replace")
        if deadline.is_over:  # what was cut off may look like an answer
            raise TimeoutError
    except (OSError, http.client.HTTPException) as error:
        is_late = deadline.is_over or isinstance(error, TimeoutError)
        said = f"No answer within {timeout:g} s." if is_late else _words(error)
        return Answer(time.monotonic() - begin, error=said)
    finally:
        timer.cancel()
        connection.close()
    return _judge(response, text, time.monotonic() - begin)


def _headers(target: Target, headers: Mapping[str, str]) -> dict[str, str]:
    return {"Host": target.host_header, "Connection": "close", **headers}


def _judge(response: http.client.HTTPResponse, text: str, duration: float) -> Answer:
    status = response.status
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_MOST_TEXT]
    error = ""
    if 300 <= status < 400:
        error = f"It answered {status}, which leads elsewhere; redirects are not followed."
    elif not 200 <= status < 300:
        error = f"It answered {status} {response.reason or ''}".rstrip() + "."
    wait = response.getheader("Retry-After") or ""
    return Answer(
        duration,
        status=status,
        text=shown,
        error=error[:_MOST_TEXT],
        retry_after=float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 7 else None,
        is_final=status == 410,
    )


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not valid: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return f"No TLS connection: {error.reason or 'unknown'}."
    if isinstance(error, http.client.HTTPException):
        return f"It answered something that is not HTTP ({type(error).__name__})."
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{text or type(error).__name__}."
