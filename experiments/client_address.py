"""The network address that a request came from, for whoever writes down what was done.

Pure. Set once where a request begins; a thread, a job and the command line begin without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_LONGEST: Final = 64
_address: ContextVar[str] = ContextVar("client_address", default="")


def client_address() -> str:
    """Return the address of the client; "" where nobody asked over the network."""
    return _address.get()


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Let `client_address` answer `address` inside the block."""
    token = _address.set(address[:_LONGEST])
    try:
        yield
    finally:
        _address.reset(token)
