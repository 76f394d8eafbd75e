"""Strike: find a run in the wanted state, kill what the card says, know when all is well again."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import psutil
import redis
from django.conf import settings
from django.utils import timezone

from experiments.models import Run, Worker
from experiments.states import RUN_LIVE, RunState
from tests.chaos import processes
from tests.chaos.plan import SILENT, Card
from tests.chaos.services import HostService
from tests.chaos.work import LONG, Work
from tests.chaos.world import World, ask
from tests.hosts import Host

_SILENT_SECONDS = 75.0
_PROVOKE_SECONDS = 4.0
_WORK_SECONDS = 180.0
_SHORT = {RunState.STARTING, RunState.FINALIZING}


@dataclass(slots=True)
class Fault:
    """A card that was played: what it hit and how long the studio needed."""

    card: Card
    state: str
    run: str
    victim: str
    at: float
    is_well: Callable[[], object]
    healed_at: float | None = None
    seconds: float | None = None


class Striker:
    """Plays cards. One fault may strike while the studio recovers from the one before."""

    def __init__(self, world: World, work: Work, *, patience: float = 20.0) -> None:
        self.world = world
        self.work = work
        # How long a run in the wanted state is waited for before a card is put aside.
        self._patience = patience
        self.faults: list[Fault] = []
        self._halted = 0
        self._cut: dict[str, threading.Timer] = {}

    def play(self, card: Card) -> Fault | None:
        """Wait for a run in the state of the card and strike; None when there was no such run."""
        self._wait_for_work()
        deadline = time.monotonic() + (_SILENT_SECONDS if card.state == SILENT else self._patience)
        provoked = 0.0
        while time.monotonic() < deadline:
            if card.state == SILENT and not processes.is_alive(self._halted):
                self._halted = self._halt()
            run = self._find(card)
            if run is None:
                if time.monotonic() > provoked + _PROVOKE_SECONDS:
                    self._provoke(card)
                    provoked = time.monotonic()
                time.sleep(0.004)
                continue
            if card.state not in _SHORT:
                time.sleep(card.delay)
                if ask(partial(self._state, run)) != card.state:
                    continue
            fault = self._strike(card, run)
            if fault is not None:
                self.faults.append(fault)
                return fault
            time.sleep(0.02)
        return None

    def _wait_for_work(self) -> None:
        """On a busy machine a studio takes its time; while nothing runs no state can be met."""
        deadline = time.monotonic() + _WORK_SECONDS
        rows = Run.objects.filter(state__in=sorted(RUN_LIVE))
        while not ask(rows.exists) and time.monotonic() < deadline:
            time.sleep(0.02)

    def wake(self) -> None:
        """Let the work-horse that stands still go on."""
        processes.send(self._halted, signal.SIGCONT)
        self._halted = 0

    def heal(self) -> None:
        """Plug every cable in."""
        for name, timer in list(self._cut.items()):
            timer.cancel()
            self._plug(name)

    def _find(self, card: Card) -> Run | None:
        rows = Run.objects.filter(state=card.state).order_by("?")
        if card.kind == "network":
            rows = rows.filter(sweep__compute__name="team")
        return ask(lambda: rows.select_related("sweep__compute").first())

    def _state(self, run: Run) -> str:
        return str(Run.objects.values_list("state", flat=True).get(pk=run.pk))

    def _provoke(self, card: Card) -> None:
        """Do what people do so that there will be such a run."""
        if card.state == RunState.NOT_STARTED:
            self._try(self.work.pause_sweep)
        if card.state == RunState.CANCEL_REQUESTED:
            target = "team" if card.kind == "network" else ""
            self._try(partial(self.work.cancel_run, target))

    def _halt(self) -> int:
        """Let a work-horse stand still: its run goes silent, and all of its processes exist."""
        deadline = time.monotonic() + self._patience
        rows = Run.objects.filter(state=RunState.RUNNING, sweep__name__startswith=LONG)
        while time.monotonic() < deadline:
            run = ask(rows.order_by("?").first)
            if run is not None and processes.send(run.executor_pid or 0, signal.SIGSTOP):
                return int(run.executor_pid or 0)
            time.sleep(0.1)
        return 0

    def _try(self, what: Callable[[], None]) -> None:
        try:
            what()
        except (OSError, ValueError):
            return  # the web server is away; such a run may come by itself

    def _strike(self, card: Card, run: Run) -> Fault | None:
        hit = getattr(self, f"_hit_{card.kind.replace('-', '_')}")
        struck: tuple[str, Callable[[], object]] | None = hit(card, run)
        if struck is None:
            return None
        victim, is_well = struck
        fault = Fault(card, card.state, run.public_id, victim, time.monotonic(), is_well)
        if card.kind == "network":
            fault.healed_at = fault.at + card.seconds
        return fault

    # What each kind kills, and how one sees that it is over.

    def _hit_web(self, card: Card, run: Run) -> Any:
        return self._kill_child(
            "web", lambda pid: self._has_new("web", pid) and self._answers(well=False)
        )

    def _hit_watchdog(self, card: Card, run: Run) -> Any:
        return self._kill_child("watchdog", self._controls)

    def _hit_worker(self, card: Card, run: Run) -> Any:
        rows = ask(lambda: list(Worker.objects.order_by("pid").values_list("pid", "host")))
        hosts = {pid: host for pid, host in rows or () if psutil.pid_exists(pid)}
        pid = processes.parent_of(run.executor_pid or 0) if run.state in RUN_LIVE else 0
        if pid not in hosts:
            pid = sorted(hosts)[card.number % len(hosts)] if hosts else 0
        since = timezone.now()
        if not processes.kill(pid):
            return None
        return f"worker {pid} on {hosts[pid]}", lambda: self._has_worker(hosts[pid], since)

    def _hit_valkey(self, card: Card, run: Run) -> Any:
        if self.world.valkey is not None:
            process = self.world.valkey.process
            if process is None or not processes.kill(process.pid):
                return None
            return f"valkey {process.pid}", self._pings
        return self._kill_child(
            "valkey", lambda pid: self._has_new("valkey", pid) and self._pings()
        )

    def _hit_postgres(self, card: Card, run: Run) -> Any:
        assert self.world.postgres is not None
        try:
            pid = self.world.postgres.server.pid
        except (OSError, ValueError):
            return None
        if not processes.kill(pid):
            return None
        return f"postgres {pid}", lambda: ask(Run.objects.exists) is not None and self._answers()

    def _hit_supervisor(self, card: Card, run: Run) -> Any:
        process, since = self.world.studio.process, timezone.now()
        if process is None or process.poll() is not None or not processes.kill(process.pid):
            return None
        return (
            f"supervisor {process.pid}",
            lambda: (
                self.world.studio.process is not process
                and self._answers()
                and self._controls(0)
                and self._has_worker(socket.gethostname(), since)
            ),
        )

    def _hit_work_horse(self, card: Card, run: Run) -> Any:
        return self._kill_of_run("work-horse", run.executor_pid or 0, run)

    def _hit_guard(self, card: Card, run: Run) -> Any:
        return self._kill_of_run("guard", processes.guard_of(run.executor_pid or 0), run)

    def _hit_script(self, card: Card, run: Run) -> Any:
        guard = processes.guard_of(run.executor_pid or 0)
        return self._kill_of_run("script", processes.script_of(guard), run)

    def _hit_network(self, card: Card, run: Run) -> Any:
        service = next((h for h in self.world.hosts if h.host.name == run.host), None)
        service = service or self.world.hosts[card.number % len(self.world.hosts)]
        if service.name in self._cut:
            return None
        host: Host = service.host
        host.unplug()
        timer = threading.Timer(card.seconds, self._plug, [service.name])
        self._cut[service.name] = timer
        timer.start()
        since = timezone.now()
        return (
            f"cable of {service.name} for {card.seconds:.0f} s",
            lambda: service.name not in self._cut and self._is_heard(service, since),
        )

    def _plug(self, name: str) -> None:
        next(h for h in self.world.hosts if h.name == name).host.plug()
        self._cut.pop(name, None)

    def _kill_child(self, role: str, is_well: Callable[[int], object]) -> Any:
        pids = self._children(role)
        if not pids or not processes.kill(pids[0]):
            return None
        return f"{role} {pids[0]}", lambda: is_well(pids[0])

    def _kill_of_run(self, role: str, pid: int, run: Run) -> Any:
        if not processes.kill(pid):
            return None
        return f"{role} {pid}", lambda: self._state(run) not in RUN_LIVE

    # Signs that all is well.

    def _children(self, role: str) -> list[int]:
        process = self.world.studio.process
        return processes.child_of(process.pid, role) if process is not None else []

    def _has_new(self, role: str, old: int) -> bool:
        pids = self._children(role)
        return bool(pids) and old not in pids

    def _answers(self, *, well: bool = True) -> bool:
        """Whether the web server answers, and that database and Redis do."""
        try:
            with urllib.request.urlopen(f"{self.world.studio.url}/healthz", timeout=3):
                return True
        except urllib.error.HTTPError:
            return not well
        except (OSError, http.client.HTTPException):
            return False

    def _pings(self) -> bool:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)
        try:
            return bool(client.ping())
        except (redis.RedisError, OSError):
            return False
        finally:
            client.close()

    def _controls(self, old: int) -> bool:
        """Whether a watchdog other than the old one has settled things and works."""
        listed = self.listed_by_rq()
        return any(f"-{pid}" in listed for pid in self._children("watchdog") if pid != old)

    def listed_by_rq(self) -> set[str]:
        """Return the ends of the names of all workers that RQ knows: "-" and the pid."""
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, decode_responses=True)
        try:
            return {f"-{str(name).rpartition('-')[2]}" for name in client.smembers("rq:workers")}
        except (redis.RedisError, OSError):
            return set()
        finally:
            client.close()

    def _has_worker(self, host: str, since: datetime) -> bool:
        rows = Worker.objects.filter(host=host, started_at__gt=since)
        return any(psutil.pid_exists(pid) for pid in rows.values_list("pid", flat=True))

    def _is_heard(self, service: HostService, since: datetime) -> bool:
        rows = Worker.objects.filter(host=service.host.name)
        return rows.filter(last_seen_at__gt=since).exists()
