"""What a campaign keeps alive as an operating system would: each dead service is started again."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Protocol

from studio import embedded
from tests.hosts import Host
from tests.servers import LiveStudio, Postgres, clean_environment

# What systemd waits before it starts a service again.
_RESTART_SECONDS = 0.5


class Service(Protocol):
    """Something that may be killed and is started again."""

    name: str

    def is_up(self) -> bool:
        """Whether its process lives."""

    def start(self) -> None:
        """Start it; an exception means that it did not come up, and it is tried again."""


class StudioService:
    """`studio up`. Its output of each life is kept."""

    name = "supervisor"

    def __init__(self, studio: LiveStudio, folder: Path) -> None:
        self.studio = studio
        self.lives = 0
        self._folder = folder

    def is_up(self) -> bool:
        """Whether the supervisor lives."""
        return self.studio.process is not None and self.studio.process.poll() is None

    def start(self) -> None:
        """Start it again on the same data."""
        if self.studio.output.exists():
            self.studio.output.replace(self._folder / f"up-{self.lives}.txt")
        self.lives += 1
        (self.studio.home / "address.json").unlink(missing_ok=True)
        self.studio.start(seconds=300)


class PostgresService:
    """The database server."""

    name = "postgres"

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._has_started = False

    def is_up(self) -> bool:
        """Whether its first process lives."""
        try:
            return Path(f"/proc/{self.server.pid}/stat").read_text().split()[2] != "Z"
        except (OSError, ValueError, IndexError):
            return False

    def start(self) -> None:
        """Make the cluster, or start it as it was left."""
        if self._has_started:
            self.server.serve()
        else:
            self._has_started = True
            self.server.start()


class ValkeyService:
    """A Redis-protocol server that several machines reach; keeps what it was told."""

    name = "valkey"

    def __init__(self, folder: Path, address: str, port: int) -> None:
        self.url = f"redis://{address}:{port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        self._words = [
            *(embedded.find_server(), "--port", str(port), "--bind", address),
            *("--protected-mode", "no", "--save", "", "--dir", str(folder)),
            *("--appendonly", "yes", "--appendfsync", "everysec"),
        ]

    def is_up(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it on what it wrote before."""
        with (self._folder / "valkey.log").open("ab") as log:
            self.process = subprocess.Popen(self._words, stdout=log, stderr=log)
        problem = embedded.wait_for_redis(self.url, seconds=60)
        assert not problem, problem

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            end(self.process)


class HostService:
    """`studio worker` on another machine, with a data folder of its own."""

    def __init__(self, host: Host, home: Path, hidden: Path, **variables: str) -> None:
        self.name = host.name
        self.host = host
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        self._hidden = hidden
        self._environment = clean_environment(STUDIO_HOME=str(home), **variables)

    def is_up(self) -> bool:
        """Whether the worker's process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Attach the machine."""
        words = [sys.executable, "-m", "studio.cli", "worker", "--compute", "team", "--slots", "1"]
        log = self.home.parent / f"{self.name}.txt"
        self.process = self.host.start_process(words, self._environment, log, hidden=[self._hidden])


class Keeper(threading.Thread):
    """Starts one service again whenever it is found dead, until told to stop."""

    def __init__(self, service: Service) -> None:
        super().__init__(name=f"keep {service.name}", daemon=True)
        self.service = service
        self.problems: list[str] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look after the service."""
        while not self._stopped.wait(0.1):
            if self.service.is_up():
                continue
            if self._stopped.wait(_RESTART_SECONDS):
                return
            try:
                self.service.start()
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                self.problems.append(f"{self.service.name}: {error}"[:500])

    def stop(self) -> None:
        """Start it no more."""
        self._stopped.set()
        self.join()


def end(process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """End a process that this campaign started; by force when it does not obey."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if process.poll() is None:
        process.kill()
    process.wait()
