"""The studio that a campaign torments: its services, other machines, and work that never ends.

Needs Django set up on the database of that studio; see `prepare`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import django

from tests.chaos.services import (
    HostService,
    Keeper,
    PostgresService,
    StudioService,
    ValkeyService,
    end,
)
from tests.hosts import Network
from tests.servers import LiveStudio, Postgres, free_port

T = TypeVar("T")


class World:
    """A studio with its database, queue server and machines, below one folder."""

    def __init__(self, folder: Path, *, database: str, hosts: int, workers: int) -> None:
        self.folder = folder
        self.home = folder / "studio"
        self.locks = folder / "locks"
        self.kept = folder / "journals"
        for path in (self.home, self.locks, self.kept):
            path.mkdir(parents=True)
        self.network = Network() if hosts else None
        address = self.network.address if self.network else "127.0.0.1"
        self.postgres: PostgresService | None = None
        self.valkey: ValkeyService | None = None
        variables: dict[str, Any] = {}
        if database == "postgres":
            server = Postgres(address=address if hosts else "")
            self.postgres = PostgresService(server)
            variables["DATABASE_URL"] = server.url
        if self.network is not None:
            (folder / "queue").mkdir()
            self.valkey = ValkeyService(folder / "queue", address, free_port())
            variables["REDIS_URL"] = self.valkey.url
            variables["STUDIO_ALLOWED_HOSTS"] = f"{address},127.0.0.1"
        self.studio = LiveStudio(self.home, host=address, workers=workers, **variables)
        self.supervisor = StudioService(self.studio, folder)
        self.hosts: list[HostService] = []
        self.keepers: list[Keeper] = []
        self._host_names = ("north", "south", "east")[:hosts]

    def prepare(self) -> None:
        """Point Django of this process at the studio's database."""
        os.environ["STUDIO_HOME"] = str(self.home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "studio.settings"
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
            if name in self.studio.extra:
                os.environ[name] = self.studio.extra[name]
        django.setup()

    def start(self) -> None:
        """Start everything, and start it again whenever it dies."""
        if self.network is not None:
            self.network.start()
        for service in (self.postgres, self.valkey, self.supervisor):
            if service is not None:
                service.start()
                self._keep(service)
        if self._host_names:
            self._attach_hosts()

    def _keep(self, service: Any) -> None:
        keeper = Keeper(service)
        keeper.start()
        self.keepers.append(keeper)

    def _attach_hosts(self) -> None:
        assert self.network is not None
        make = "from experiments.models import ComputeTarget as C; C.objects.create(name='team')"
        self.studio.run_python(f"import django; django.setup(); {make}")
        words = [sys.executable, "-m", "studio.cli", "token", "create", "hosts", "--compute"]
        made = subprocess.run(
            [*words, "team"],
            env=self.studio.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        addresses = {name: self.studio.extra[name] for name in ("DATABASE_URL", "REDIS_URL")}
        for name in self._host_names:
            home = self.folder / name
            home.mkdir()
            service = HostService(
                self.network.add_host(name),
                home,
                self.home,
                STUDIO_URL=self.studio.url,
                STUDIO_COMPUTE_TOKEN=made.stdout.strip(),
                **addresses,
            )
            service.start()
            self.hosts.append(service)
            self._keep(service)

    def stop(self) -> int:
        """End everything but the database in order; return the exit code of the studio."""
        for keeper in self.keepers:
            keeper.stop()
        for service in self.hosts:
            if service.process is not None:
                end(service.process)
        code = self.studio.stop(seconds=90) if self.supervisor.is_up() else -1
        self.stop_hard()
        return code

    def stop_hard(self) -> None:
        """End whatever is still there, in whatever order; also after a campaign that broke."""
        for keeper in self.keepers:
            keeper.stop()
        for service in self.hosts:
            if service.process is not None:
                end(service.process)
        if self.supervisor.is_up() and self.studio.process is not None:
            end(self.studio.process)
        if self.valkey is not None:
            self.valkey.stop()

    def take_down(self) -> None:
        """End the database and the network as well."""
        if self.postgres is not None and self.postgres.is_up():
            self.postgres.server.stop()
        if self.network is not None:
            self.network.stop()


def ask(question: Callable[[], T]) -> T | None:
    """Return the answer of a database that may be away just now; None when it is."""
    from django.db import Error, connection

    try:
        return question()
    except Error:
        connection.close()
        return None
