"""Examines every part of the studio on this machine and says how to mend what is wrong.

Reads only. Each check stands alone, so that one broken part does not hide another.
"""

from __future__ import annotations

import json
import shutil
import stat
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any, Final

from packaging.requirements import Requirement

from studio import env

_MIN_FREE_BYTES: Final = 2 * 1000**3
_MIN_REDIS: Final = (6, 2)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw; `cure` says what to do and is empty exactly when all is well."""

    name: str
    detail: str
    cure: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.cure


def examine() -> Iterator[Finding]:
    """Run every check in order, basic ones first."""
    for name, check in _CHECKS:
        try:
            detail, cure = check()
        except Exception as error:  # noqa: BLE001 -- whatever breaks, it is what we report
            detail, cure = f"{type(error).__name__}: {error}", "See the message."
        yield Finding(name, detail, cure)


def _python() -> tuple[str, str]:
    found = ".".join(map(str, sys.version_info[:3]))
    cure = "" if sys.version_info >= (3, 11) else "Use Python 3.11 or newer."
    return f"{found} at {sys.executable}", cure


def _dependencies() -> tuple[str, str]:
    wanted = [Requirement(line) for line in requires("sweep-studio") or []]
    needed = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [text for requirement in needed if (text := _requirement_problem(requirement))]
    if wrong:
        return "; ".join(wrong), "Run `make up`, or `pip install -c constraints.txt -e .`."
    return f"{len(needed)} packages as required", ""


def _requirement_problem(requirement: Requirement) -> str:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} {found}, needed {requirement.specifier}"


def _home() -> tuple[str, str]:
    home = env.studio_home()
    if not home.is_dir():
        return f"{home} does not exist", "Run `studio up` once, or correct STUDIO_HOME."
    probe = home / ".doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return f"{home}: {error.strerror}", f"Make {home} writable for this user."
    return str(home), ""


def _secret() -> tuple[str, str]:
    if env.text("STUDIO_SECRET_KEY"):
        return "given by STUDIO_SECRET_KEY", ""
    path = env.studio_home() / "secret-key"
    if not path.exists():
        return "not made yet", "Run `studio up` once; it makes the key."
    mode = stat.S_IMODE(path.stat().st_mode)
    cure = f"Run `chmod 600 {path}`." if mode & 0o077 else ""
    return f"{path}, mode {mode:o}", cure


def _disk() -> tuple[str, str]:
    home = env.studio_home()
    folder = next(f for f in (home, *home.parents) if f.exists())
    free = shutil.disk_usage(folder).free
    cure = "" if free > _MIN_FREE_BYTES else "Free some space, or move STUDIO_HOME to another disk."
    return f"{free / 1000**3:.1f} GB free at {folder}", cure


def _database() -> tuple[str, str]:
    from django.db import OperationalError, connection  # noqa: PLC0415 -- needs Django
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        return str(error).strip(), "Start the database, or correct DATABASE_URL."
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        count = len(missing)
        return f"{count} migrations are missing", "Run `studio up`, or `python -m django migrate`."
    return f"{connection.vendor}, migrations complete", ""


def _journal() -> tuple[str, str]:
    from django.db import connection  # noqa: PLC0415 -- needs Django

    if connection.vendor != "sqlite":
        return f"not needed with {connection.vendor}", ""
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    if mode == "wal":
        return "write-ahead log is on", ""
    return f"journal mode is {mode}", "Keep STUDIO_HOME on a local disk; WAL does not work on NFS."


def _redis() -> tuple[str, str]:
    from redis import Redis  # noqa: PLC0415 -- slow to import
    from redis.exceptions import RedisError  # noqa: PLC0415

    url = env.redis_url(env.studio_home())
    cure = "Correct REDIS_URL." if env.text("REDIS_URL") else "Start the studio: `studio up`."
    try:
        with Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as redis:
            info: dict[str, Any] = redis.info()
    except (RedisError, OSError, ValueError) as error:
        return f"not reachable: {error}", cure
    name = info.get("server_name", "redis")
    found = str(info.get("valkey_version") or info["redis_version"])
    numbers = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if numbers < _MIN_REDIS:
        return f"{name} {found}", "Use Redis 6.2 or newer, or Valkey."
    if not info.get("aof_enabled"):
        return f"{name} {found}, append-only file off", (
            "Set `appendonly yes`; without it queued runs wait for the watchdog after a restart."
        )
    return f"{name} {found}, append-only file on", ""


def _web() -> tuple[str, str]:
    path = env.studio_home() / "address.json"
    try:
        url = str(json.loads(path.read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{path} cannot be read", "Start the studio: `studio up`."
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url.rstrip('/')}/api/v1/openapi.json", timeout=5) as answer:
            title = json.load(answer)["info"]["title"]
            return f"{title} answers at {url}", ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{url} does not answer: {error}", "Start the studio: `studio up`."


def _workers() -> tuple[str, str]:
    from experiments.models import ComputeTarget, Worker  # noqa: PLC0415 -- needs Django
    from experiments.queries import alive_since  # noqa: PLC0415 -- needs Django

    recent = alive_since()
    counts = {
        compute.name: Worker.objects.filter(compute=compute, last_seen_at__gte=recent).count()
        for compute in ComputeTarget.objects.filter(is_enabled=True)
    }
    detail = ", ".join(f"{name}: {n} alive" for name, n in counts.items()) or "no compute target"
    idle = [name for name, n in counts.items() if n == 0]
    if idle or not counts:
        name = idle[0] if idle else "local"
        return detail, f"Attach one: `studio worker --compute {name}`, or start `studio up`."
    return detail, ""


def _static() -> tuple[str, str]:
    from django.conf import settings  # noqa: PLC0415 -- needs Django

    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if manifest.exists():
        return f"collected in {settings.STATIC_ROOT}", ""
    cure = "Run `studio up`, or `python -m django collectstatic`."
    return f"{manifest} does not exist", cure


_CHECKS: Final[list[tuple[str, Callable[[], tuple[str, str]]]]] = [
    ("Python", _python),
    ("Packages", _dependencies),
    ("Data folder", _home),
    ("Secret key", _secret),
    ("Disk", _disk),
    ("Database", _database),
    ("SQLite journal", _journal),
    ("Redis", _redis),
    ("Web server", _web),
    ("Workers", _workers),
    ("Static files", _static),
]
