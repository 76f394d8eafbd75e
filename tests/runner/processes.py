"""Worker and watchdog processes as `studio up` starts them, on the database of the tests."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection

from experiments.models import Run
from runner import process
from tests.servers import ROOT, clean_environment


def wait_until(is_true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.03)


def environment(redis_url: str) -> dict[str, str]:
    """Return what a process of the studio needs to work on the database of the tests."""
    fields = connection.settings_dict
    if connection.vendor == "sqlite":
        database = f"sqlite:///{fields['NAME']}"
    else:
        host = fields["HOST"] or fields["OPTIONS"]["host"]
        database = f"postgres://{fields['USER']}@/{fields['NAME']}?host={host}"
    return clean_environment(
        DATABASE_URL=database,
        REDIS_URL=redis_url,
        STUDIO_HOME=str(settings.STUDIO_HOME),
        DJANGO_SETTINGS_MODULE="studio.settings",
        PYTHONPATH=str(ROOT),
    )


class Service:
    """One process of the studio."""

    def __init__(self, log: Path, redis_url: str, *words: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=environment(redis_url),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self.popen.pid

    def children(self) -> list[psutil.Process]:
        """Return the processes that it started itself."""
        return psutil.Process(self.pid).children()

    def wait_for_log(self, text: str, seconds: float = 30.0) -> None:
        """Wait until it has said something."""
        wait_until(lambda: text in self.log.read_text(), seconds)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30.0) -> int:
        """End it with a signal; return its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.popen.wait(seconds)


def processes_of(run: Run) -> list[int]:
    """Return the living processes of a run."""
    mark = f"STUDIO_RUN_ID={run.public_id}".encode()
    return [pid for pid in process._processes() if process._is_marked(pid, mark, is_prefix=False)]
