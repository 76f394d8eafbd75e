"""What the lines of the log belong to: request, person, sweep, run, worker.

Pure. Set once where something begins (a request, a job, a run); every line that is logged inside
carries it, whoever logs. A thread begins with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final
from uuid import uuid4

# In the order in which lines show them.
NAMES: Final = (
    "request_id",
    "user_id",
    "workspace",
    "sweep_id",
    "run_id",
    "compute",
    "worker",
)
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_fields: ContextVar[Mapping[str, str]] = ContextVar("log_fields", default=_NOTHING)
# What others may send as the name of a request: it ends up in logs, headers and jobs.
_GIVEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def fields() -> Mapping[str, str]:
    """Return what is known here, by the names above."""
    return _fields.get()


def request_id() -> str:
    """Return the request that led here, through a queue as well; "" when none did."""
    return _fields.get().get("request_id", "")


def note(**known: object) -> None:
    """Add what has become known; an empty value takes away what was."""
    _fields.set(_with(known))


@contextmanager
def bound(**known: object) -> Iterator[None]:
    """Add something inside the block; what was noted in it is forgotten at its end."""
    token = _fields.set(_with(known))
    try:
        yield
    finally:
        _fields.reset(token)


@contextmanager
def only(**known: object) -> Iterator[None]:
    """Know nothing else inside the block: a job has nothing to do with the one before."""
    token = _fields.set(_NOTHING)
    try:
        note(**known)
        yield
    finally:
        _fields.reset(token)


def request_id_of(given: str) -> str:
    """Return the id that a client sent where it can be used, or a new one."""
    return given if _GIVEN.fullmatch(given) else uuid4().hex


def _with(known: Mapping[str, object]) -> Mapping[str, str]:
    if unknown := known.keys() - set(NAMES):
        raise ValueError(f"{', '.join(sorted(unknown))}: the log knows {', '.join(NAMES)}.")
    told = {name: str(value) for name, value in known.items() if value not in ("", None)}
    kept = {name: value for name, value in _fields.get().items() if name not in known}
    return {**kept, **told}
