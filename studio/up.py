"""`studio up`: the whole studio on one machine under one supervisor.

Start order: Redis-protocol server, preparation, web, watchdog, workers; the end goes backwards. The
supervisor loads all code once and the others are its forks, so that one copy of it is in memory and
a new one answers at once; it opens nothing and does nothing with it (`studio/roles.py`).
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from socket import socket
from typing import IO, Any, Final

from runner.environment import base_environment
from runner.forking import Forked
from runner.process import hide_from_scripts, kill_marked
from studio import embedded, env, preflight, roles
from studio.preflight import CannotStart
from studio.supervisor import STOP_SIGNALS, Child, GaveUp, Supervisor, last_words
from studio.web_processes import make_folder

DEFAULT_PORT: Final = 8000
MOST_WEB: Final = 64
_MOST_USUAL_WEB: Final = 2
# A machine that is busy may take long; a web server that dies is noticed at once.
_WEB_SECONDS: Final = 120.0
# A worker hands its run over: the script has STUDIO_STOP_GRACE_SECONDS to save its work.
_WORKER_STOP_SECONDS: Final = 14.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def run(
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    workers: int = 2,
    with_example: bool = True,
    drain: bool = False,
    web: int | None = None,
) -> int:
    """Start the studio and keep it running until Ctrl-C; return the exit code.

    `drain`: the end waits for the runs that go on; otherwise they are handed over. `web`: how many
    processes answer requests.
    """
    hide_from_scripts()
    try:
        chosen = port or env.port("STUDIO_PORT", DEFAULT_PORT)
        web = web or env.count("STUDIO_WEB_PROCESSES", _usual_web(), least=1, most=MOST_WEB)
        home = env.studio_home()
        preflight.check_settings(home)
        preflight.make_home(home)
        with preflight.only_one(home) as lock, preflight.listening(host, chosen) as listeners:
            studio = Studio(home, host, chosen, listeners, lock)
            studio.web, studio.workers, studio.drain = web, workers, drain
            return studio.run(with_example=with_example)
    except (CannotStart, GaveUp, env.EnvironmentProblem, embedded.ServerProblem) as error:
        _say(str(error))
        return 1


class Studio:
    """The processes of one studio; `listeners` are bound, `lock` is that of its data folder."""

    web = 1
    workers = 2
    drain = False

    def __init__(
        self, home: Path, host: str, port: int, listeners: Sequence[socket], lock: IO[str]
    ) -> None:
        self.home = home
        self.host = host
        self.listeners = listeners
        shown = _shown_host(host)
        shown = f"[{shown}]" if ":" in shown else shown
        self.url = f"http://{shown}:{port}{env.base_path()}"
        self.logs = home / "logs"
        self._answering = 0
        # Scripts have no checkout on their path; they must find the same packages.
        paths = [str(env.project_root()), env.text("PYTHONPATH")]
        os.environ.update(
            DJANGO_SETTINGS_MODULE="studio.settings",
            STUDIO_HOME=str(home),
            STUDIO_URL=self.url,
            PYTHONUNBUFFERED="1",
            PYTHONPATH=os.pathsep.join(path for path in paths if path),
        )
        self.supervisor = Supervisor(os.environ, _say, env.project_root(), [lock])

    def run(self, *, with_example: bool) -> int:
        """Start everything, look after it, end it."""
        begun = time.monotonic()
        try:
            self._start_redis()
            prepared = self._prepare(with_example=with_example)
            if not self.supervisor.is_stopping:
                self._start_web()
            if not self.supervisor.is_stopping:
                self._greet(prepared, time.monotonic() - begun)
                self._start_workers()
                self.supervisor.run()
        finally:
            if self.supervisor.is_stopping:
                _say("Stopping …")
            self.supervisor.stop()
            # Nothing of a script outlives the studio, not even when patience ran out.
            kill_marked("STUDIO_METRICS_FILE", f"{self.home}{os.sep}", is_prefix=True)
            (self.home / "address.json").unlink(missing_ok=True)
            # One more Ctrl-C while the interpreter ends must not look like a failure.
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
        return 0

    def _start_redis(self) -> None:
        url = env.redis_url(self.home)
        if env.text("REDIS_URL"):
            problem = embedded.wait_for_redis(url, seconds=3)
            if problem:
                text = (
                    f"REDIS_URL is set, but no server answers there ({problem}). Start it, correct "
                )
                raise CannotStart(f"{text}REDIS_URL, or unset it to use the embedded server.")
            return
        # Not one of our programs, so any of the same user reads what it was started with.
        known = base_environment(os.environ) | {"STUDIO_HOME": str(self.home)}
        command = embedded.server_command(self.home)
        self.supervisor.start(Child("redis", command, self.logs / "redis.log", environment=known))
        # It starts meanwhile.
        _load(roles.load_preparation)
        problem = embedded.wait_for_redis(url)
        if problem:
            log = self.logs / "redis.log"
            raise CannotStart(
                f"The embedded Redis server does not answer ({problem}){last_words(log)}. See {log}"
            )

    def _prepare(self, *, with_example: bool) -> dict[str, Any]:
        with tempfile.TemporaryFile() as output:
            _load(roles.load_preparation)
            work = partial(roles.prepare, with_example=with_example)
            process = self._fork(work, "preparation", output)
            _load(roles.load_others)
            code = self._end_of(process)
            output.seek(0)
            said = output.read().decode(errors="replace")
        result = _last_json(said.strip().splitlines())
        if code == 0 and result is not None:
            return result
        if self.supervisor.is_stopping:
            return {}
        if result and "error" in result:
            advice = " Start it or correct DATABASE_URL." if env.text("DATABASE_URL") else ""
            raise CannotStart(f"{result['error']}{advice}")
        if result and "refusal" in result:
            raise CannotStart(result["refusal"])
        log = self.logs / "prepare.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(said)
        raise CannotStart(f"The studio could not be prepared{last_words(log)}. See {log}")

    def _fork(self, work: Callable[[], object], name: str, output: IO[bytes]) -> Forked:
        return self.supervisor.fork(self._off_port(work), self._title(name), output.fileno())

    def _end_of(self, process: Forked) -> int:
        """Wait for the end of a process that is asked to end when the studio is."""
        handle = os.pidfd_open(process.pid)
        while (code := process.poll()) is None:
            select.select([handle], [], [], 0.2)
            if self.supervisor.is_stopping:
                process.send_signal(signal.SIGTERM)
        os.close(handle)
        return code

    def _start_web(self) -> None:
        _load(roles.load_application)
        # From here on memory is shared: nobody looks through it for garbage, which writes to it.
        # There is hardly any now: loading makes what stays.
        gc.freeze()
        folder = make_folder(self.home)
        ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        servers = [
            roles.WebServer(self.listeners, number, folder, ready)
            for number in range(1, self.web + 1)
        ]
        children = [
            self._start(f"web {server.number}", server.serve, program=" (uvicorn)")
            for server in servers
        ]
        for number, child in enumerate(children, 1):
            self._wait_for_web(child, ready, number)

    def _wait_for_web(self, child: Child, ready: int, number: int) -> None:
        """Wait until so many processes answer, or this one has died."""

        def is_ready() -> bool:
            with suppress(BlockingIOError):
                self._answering += os.eventfd_read(ready)
            return self._answering >= number

        answers = self.supervisor.wait_for(child, is_ready, _WEB_SECONDS)
        if not answers and not self.supervisor.is_stopping:
            log = child.log
            raise CannotStart(f"The web server does not answer{last_words(log)}. See {log}")

    def _start_workers(self) -> None:
        watch = partial(roles.run_command, "studio_watchdog")
        self._start("watchdog", self._off_port(watch))
        work = partial(roles.run_command, "studio_worker", compute="local", drain=self.drain)
        for number in range(1, self.workers + 1):
            self._start(
                f"worker {number}",
                self._off_port(work),
                stop_seconds=_WORKER_STOP_SECONDS,
                drains=self.drain,
            )

    def _start(
        self, name: str, work: Callable[[], object], *, program: str = "", **more: Any
    ) -> Child:
        log = self.logs / f"{name.replace(' ', '-')}.log"
        child = Child(name, work, log, title=self._title(f"{name}{program}"), **more)
        self.supervisor.start(child)
        return child

    def _off_port(self, work: Callable[[], object]) -> Callable[[], None]:
        """Return `work` for a process that does not listen."""

        def begin() -> None:
            for listener in self.listeners:
                listener.close()
            work()

        return begin

    def _title(self, name: str) -> str:
        """Return what lists of processes show: whoever runs two studios wants to know of which."""
        return f"studio {name} of {self.home}"

    def _greet(self, prepared: dict[str, Any], seconds: float) -> None:
        address = {"url": self.url, "pid": os.getpid()}
        (self.home / "address.json").write_text(json.dumps(address))
        _say(f"Sweep Studio is at  {self.url}  (ready after {seconds:.1f} s)")
        if prepared.get("sign_in"):
            _say(f"Sign in once with   {self.url}/sign-in/{prepared['sign_in']}/")
        for remark in prepared.get("remarks", ()):
            _say(remark)
        if self.host not in _LOOPBACK and not env.text("STUDIO_ALLOWED_HOSTS"):
            _say("Other machines are refused until STUDIO_ALLOWED_HOSTS names this one as they do.")
        _say(f"Data and logs are in {self.home}. Ctrl-C stops everything.")


def _last_json(lines: list[str]) -> dict[str, Any] | None:
    try:
        value = json.loads(lines[-1])
    except (IndexError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _usual_web() -> int:
    """Return how many web processes there are unless somebody says so: one takes 25 MB more."""
    return min(_MOST_USUAL_WEB, len(os.sched_getaffinity(0)))


def _load(load: Callable[[], None]) -> None:
    """Load code; nearly everything that is made meanwhile stays, so no garbage is looked for."""
    gc.disable()
    try:
        load()
    finally:
        gc.enable()


def _shown_host(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared only


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command line program


if __name__ == "__main__":
    sys.exit(run())
