"""What must be true before a studio starts: settings, data folder, one studio per folder, port.

Nothing is started or written here but the data folder and its lock. Every refusal is one sentence.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

from experiments.storage.address import BucketAddress, FolderAddress, missing_credentials
from studio import env
from studio.logs import FORMATS

_NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class CannotStart(Exception):  # noqa: N818 - a state of the machine
    """One sentence that says what is in the way and what to do."""


def check_settings(home: Path) -> None:
    """Read every variable once, before anything is started.

    Raises:
        EnvironmentProblem: a variable cannot be used.
        CannotStart: the driver of the database or of the storage is not installed, or there are no
            credentials for it.
    """
    env.flag("STUDIO_DEBUG")
    env.one_of("STUDIO_LOG_FORMAT", FORMATS)
    env.flag("STUDIO_LOG_REQUESTS")
    env.secret("STUDIO_METRICS_TOKEN")
    env.redis_url(home)
    if env.database_url(home).startswith("postgres") and find_spec("psycopg") is None:
        raise CannotStart(
            "DATABASE_URL names a PostgreSQL database, and its driver is not installed. "
            f"Install it: {sys.executable} -m pip install 'psycopg[binary]'"
        )
    _check_storage(env.storage_address(home))


def _check_storage(address: FolderAddress | BucketAddress) -> None:
    if not isinstance(address, BucketAddress):
        return
    if find_spec("obstore") is None:
        raise CannotStart(
            "STUDIO_STORAGE_URL names a bucket, and the library for it is not installed. "
            f"Install it: {sys.executable} -m pip install 'sweep-studio[s3]'"
        )
    problem = missing_credentials(address, os.environ)
    if problem:
        raise CannotStart(f"STUDIO_STORAGE_URL names a bucket: {problem}")


def make_home(home: Path) -> None:
    """Make the data folder, for this user alone.

    Raises:
        CannotStart: it cannot be made or written to.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / "up.lock").touch()
    except OSError as error:
        raise CannotStart(
            f"The data folder {home} cannot be used ({error.strerror}). "
            "Set STUDIO_HOME to a folder that you can write to."
        ) from error


@contextmanager
def only_one(home: Path) -> Iterator[IO[str]]:
    """Hold the lock of the data folder: two servers on it would each keep half of the data.

    Raises:
        CannotStart: a studio runs with it already.
    """
    with (home / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(
                f"A studio already runs with the data in {home}{_running_at(home)}. "
                "Stop it first, or set STUDIO_HOME to another folder."
            ) from None
        yield lock


def _running_at(home: Path) -> str:
    try:
        return f" at {json.loads((home / 'address.json').read_text())['url']}"
    except (OSError, ValueError, KeyError):
        return ""


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Hold a port, so that one that is taken is named before anything runs; nobody answers yet.

    Raises:
        CannotStart: nobody can listen there.
    """
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise CannotStart(
            f'"{host}" is no address of this machine ({error.strerror}). '
            "Use --host 127.0.0.1 for this machine alone or --host 0.0.0.0 for the network."
        ) from error
    with ExitStack() as opened:
        sockets: list[socket.socket] = []
        problem: OSError | None = None
        for family, _, _, _, address in dict.fromkeys(found):
            try:
                sockets.append(opened.enter_context(_bound(family, address)))
            except OSError as error:
                problem = error
                # A name may stand for an address of IPv6 on a machine without.
                if error.errno not in _NOT_HERE:
                    break
        if problem is not None and (problem.errno not in _NOT_HERE or not sockets):
            raise _cannot_listen(host, port, problem) from problem
        yield sockets


def _bound(family: int, address: Any) -> socket.socket:
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _cannot_listen(host: str, port: int, error: OSError) -> CannotStart:
    taken = error.errno == errno.EADDRINUSE
    reason = "is in use" if taken else f"of {host} cannot be used ({error.strerror})"
    other = port + 1 if 1024 <= port < 65535 else 8000
    return CannotStart(
        f"Port {port} {reason}. Choose another one: make up PORT={other}, "
        f"studio up --port {other}, or STUDIO_PORT."
    )
