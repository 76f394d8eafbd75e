"""`studio up`: the whole studio on one machine under one supervisor.

Start order: Redis-protocol server, preparation, web, watchdog, workers; the end goes backwards.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from runner.environment import base_environment
from runner.process import hide_from_scripts, kill_marked
from studio import embedded, env, preflight
from studio.preflight import CannotStart
from studio.supervisor import STOP_SIGNALS, Child, GaveUp, Supervisor, last_words

DEFAULT_PORT: Final = 8000
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
) -> int:
    """Start the studio and keep it running until Ctrl-C; return the exit code.

    `drain`: the end waits for the runs that go on; otherwise they are handed over.
    """
    hide_from_scripts()
    try:
        chosen = port or env.port("STUDIO_PORT", DEFAULT_PORT)
        home = env.studio_home()
        preflight.check_settings(home)
        preflight.make_home(home)
        with preflight.only_one(home):
            preflight.check_port(host, chosen)
            studio = Studio(home, host, chosen, workers, drain=drain)
            return studio.run(with_example=with_example)
    except (CannotStart, GaveUp, env.EnvironmentProblem, embedded.ServerProblem) as error:
        _say(str(error))
        return 1


class Studio:
    """The processes of one studio."""

    def __init__(
        self, home: Path, host: str, port: int, workers: int, *, drain: bool = False
    ) -> None:
        self.home = home
        self.host = host
        self.port = port
        self.workers = workers
        self.drain = drain
        shown = _shown_host(host)
        shown = f"[{shown}]" if ":" in shown else shown
        self.url = f"http://{shown}:{port}{env.base_path()}"
        self.logs = home / "logs"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "studio.settings",
            "STUDIO_HOME": str(home),
            "STUDIO_URL": self.url,
            "PYTHONUNBUFFERED": "1",
        }
        # A console script has no checkout on its path; children must find the same packages.
        paths = [str(env.project_root()), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        self.environment = environment
        self.supervisor = Supervisor(environment, _say, env.project_root())

    def run(self, *, with_example: bool) -> int:
        """Start everything, look after it, end it."""
        begun = time.monotonic()
        try:
            self._start_redis()
            prepared = self._prepare(with_example=with_example)
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
        known = base_environment(self.environment) | {"STUDIO_HOME": str(self.home)}
        command = embedded.server_command(self.home)
        self.supervisor.start(Child("redis", command, self.logs / "redis.log", environment=known))
        problem = embedded.wait_for_redis(url)
        if problem:
            log = self.logs / "redis.log"
            raise CannotStart(
                f"The embedded Redis server does not answer ({problem}){last_words(log)}. See {log}"
            )

    def _prepare(self, *, with_example: bool) -> dict[str, Any]:
        words = [sys.executable, "-m", "studio.prepare"]
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [*words, "--example"] if with_example else words,
            env=self.environment,
            cwd=env.project_root(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        result = _last_json(done.stdout.strip().splitlines())
        if done.returncode == 0 and result is not None:
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
        log.write_text(done.stdout + done.stderr)
        raise CannotStart(f"The studio could not be prepared{last_words(log)}. See {log}")

    def _start_web(self) -> None:
        if self.supervisor.is_stopping:
            return
        web = Child("web", self._web_command(), self.logs / "web.log")
        self.supervisor.start(web)
        answers = self.supervisor.wait_for(web, self._web_answers, _WEB_SECONDS)
        if not answers and not self.supervisor.is_stopping:
            raise CannotStart(f"The web server does not answer{last_words(web.log)}. See {web.log}")

    def _start_workers(self) -> None:
        django = [sys.executable, "-m", "django"]
        command = [*django, "studio_worker", "--compute", "local"]
        command += ["--drain"] if self.drain else []
        self.supervisor.start(
            Child("watchdog", [*django, "studio_watchdog"], self.logs / "watchdog.log")
        )
        for number in range(1, self.workers + 1):
            log = self.logs / f"worker-{number}.log"
            child = Child(
                f"worker {number}",
                command,
                log,
                stop_seconds=_WORKER_STOP_SECONDS,
                drains=self.drain,
            )
            self.supervisor.start(child)

    def _web_command(self) -> list[str]:
        options = ["--host", self.host, "--port", str(self.port), "--lifespan", "off"]
        # Open websockets would hold the end back.
        options += ["--timeout-graceful-shutdown", "3", "--no-access-log", "--no-server-header"]
        options += ["--http", "studio.one_segment:OneSegment"]
        return [sys.executable, "-m", "uvicorn", "studio.served:application", *options]

    def _web_answers(self) -> bool:
        try:
            socket.create_connection((_shown_host(self.host), self.port), timeout=1).close()
        except OSError:
            return False
        return True

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


def _shown_host(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared only


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command line program


if __name__ == "__main__":
    sys.exit(run())
