"""Examines every part of the studio on this machine and says how to mend what is wrong.

Reads only. Each check stands alone, so that one broken part does not hide another. The checks are
in studio.doctor_*; on a machine that only has workers, only what workers need is examined.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from studio import (
    doctor_address,
    doctor_database,
    doctor_machine,
    doctor_redis,
    doctor_services,
    doctor_storage,
    doctor_workers,
    env,
)
from studio.doctor_finding import Seen

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw; `cure` says what to do, `why` what happens otherwise; empty when well."""

    name: str
    detail: str
    cure: str = ""
    why: str = ""
    level: Level = "ok"

    @property
    def is_ok(self) -> bool:
        """Whether nothing is broken; a warning is about what may break."""
        return self.level != "problem"


def examine(names: Collection[str] | None = None) -> Iterator[Finding]:
    """Run every check in order, basic ones first; or only those with these names."""
    for name, check in _WORKER_CHECKS if is_worker_machine() else _CHECKS:
        if names is None or name in names:
            yield _look(name, check)


def _look(name: str, check: Callable[[], Seen | tuple[str, str]]) -> Finding:
    try:
        seen = check()
    except Exception as error:  # noqa: BLE001 -- whatever breaks, it is what we report
        seen = Seen(f"{type(error).__name__}: {error}", "See the message.")
    if isinstance(seen, tuple):
        seen = Seen(*seen)
    level: Level = "ok" if not seen.cure else "warning" if seen.is_warning else "problem"
    return Finding(name, seen.detail, seen.cure, seen.why, level)


def is_worker_machine() -> bool:
    """Tell whether this machine has workers of a studio elsewhere and no studio itself."""
    is_attached = bool(env.text("STUDIO_COMPUTE_TOKEN"))
    return is_attached and not (env.studio_home() / "address.json").exists()


Check = tuple[str, Callable[[], Seen | tuple[str, str]]]

_WORKER_CHECKS: Final[list[Check]] = [
    ("Python", doctor_machine.python),
    ("Packages", doctor_machine.dependencies),
    ("Data folder", doctor_machine.home),
    ("Disk", doctor_machine.disk),
    ("Database", doctor_database.database),
    ("Clock", doctor_database.clock),
    ("Redis", doctor_redis.server),
    ("Studio", doctor_address.attached),
]
_CHECKS: Final[list[Check]] = [
    ("Python", doctor_machine.python),
    ("Packages", doctor_machine.dependencies),
    ("Data folder", doctor_machine.home),
    ("Secret key", doctor_machine.secret),
    ("Disk", doctor_machine.disk),
    ("Storage", doctor_machine.storage),
    ("Storage bucket", doctor_storage.bucket),
    ("Database", doctor_database.database),
    ("Database connections", doctor_database.connections),
    ("SQLite journal", doctor_database.journal),
    ("Clock", doctor_database.clock),
    ("Redis", doctor_redis.server),
    ("Redis memory", doctor_redis.memory),
    ("Redis password", doctor_redis.password),
    ("Scheduler", doctor_services.scheduler),
    ("Messenger", doctor_services.messenger),
    ("Mail", doctor_services.mail),
    ("TLS", doctor_services.tls),
    ("Web server", doctor_address.web),
    ("Address", doctor_address.address),
    ("Live updates", doctor_address.sockets),
    ("Allowed hosts", doctor_address.allowed_hosts),
    ("Workers", doctor_workers.workers),
    ("Worker versions", doctor_workers.versions),
    ("Interpreters", doctor_workers.interpreters),
    ("Static files", doctor_machine.static),
]
