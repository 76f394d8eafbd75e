"""Real servers for tests: Valkey on a unix socket, PostgreSQL on a socket of its own, a studio."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio import embedded

ROOT = Path(__file__).resolve().parent.parent


def clean_environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without what belongs to any studio."""
    # A make above this one would let those below it announce their folders.
    drop = ("STUDIO_", "DJANGO_", "DATABASE_", "REDIS_", "MAKE", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    return kept | extra


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(what: Callable[[], Any], seconds: float = 240) -> Any:
    """Ask until the answer is yes; return it."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


class Valkey:
    """The embedded server, as `studio up` starts it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = embedded.server_command(self.home)
        self.url = f"unix://{command[command.index('--unixsocket') + 1]}?db=0"
        log = (self.home / "valkey.log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        log.close()
        problem = embedded.wait_for_redis(self.url)
        assert not problem, problem

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(10)
            self.process = None


class Postgres:
    """A cluster in a temporary folder, reached by a unix socket there; thrown away at the end."""

    def __init__(self, *, address: str = "") -> None:
        """`address`: an address of this machine to listen on beside the socket."""
        self.folder = Path(tempfile.mkdtemp(prefix="studio-pg-"))
        self.address = address
        self.port = free_port() if address else 5432
        where = f"{address}:{self.port}/studio" if address else f"/studio?host={self.folder}"
        self.url = f"postgres://studio@{where}"
        self._as_user: list[str] = []

    @staticmethod
    def binaries() -> Path | None:
        """Return the folder of the server's programs; None when it is not installed."""
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        found = shutil.which("initdb")
        candidates = [*folders, *([Path(found).parent] if found else [])]
        return next((f for f in candidates if (f / "initdb").exists()), None)

    def start(self) -> None:
        binaries = self.binaries()
        assert binaries is not None
        if os.getuid() == 0:  # the server refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as_user = ["runuser", "-u", "postgres", "--"]
        data = str(self.folder / "data")
        self._run(binaries / "initdb", "-D", data, "-U", "studio", "-A", "trust", "-E", "UTF8")
        if self.address:
            with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all all trust\n")
        self.serve()
        place = ("-h", str(self.folder), "-p", str(self.port), "-U", "studio")
        self._run(binaries / "createdb", *place, "studio")

    def serve(self) -> None:
        """Start the server on its cluster, also after it was killed."""
        binaries = self.binaries()
        assert binaries is not None
        options = (
            f"-c listen_addresses='{self.address}' -c port={self.port} "
            f"-c unix_socket_directories={self.folder} -c fsync=off -N 200"
        )
        where = ("-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"))
        self._run(binaries / "pg_ctl", *where, "-o", options, "start")

    @property
    def pid(self) -> int:
        """The server's first process."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def stop(self) -> None:
        binaries = self.binaries()
        assert binaries is not None
        self._run(
            binaries / "pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop"
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: Path, *words: str) -> None:
        subprocess.run(
            [*self._as_user, str(program), *words],
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class LiveStudio:
    """A whole studio, started the way a person starts it, on a free port and an empty folder."""

    def __init__(
        self,
        home: Path,
        *,
        with_example: bool = False,
        drain: bool = False,
        workers: int = 2,
        host: str = "127.0.0.1",
        root: Path = ROOT,
        **extra: str,
    ) -> None:
        """`root`: where the code is, when it is not this checkout's."""
        self.home = home
        self.root = root
        self.port = free_port()
        self.url = f"http://{host}:{self.port}{extra.get('STUDIO_BASE_PATH', '')}"
        self.extra = extra
        self.output = home / "up.txt"
        words = (
            "import sys; from studio import up; "
            f"sys.exit(up.run(port={self.port}, host={host!r}, workers={workers}, "
            f"with_example={with_example}, drain={drain}))"
        )
        # A test may start it in another way.
        self.command = [sys.executable, "-c", words]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a process on this machine needs to find this studio."""
        return clean_environment(
            STUDIO_HOME=str(self.home), PYTHONPATH=str(self.root), **self.extra
        )

    def start(self, seconds: float = 240) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + seconds
        while not (self.home / "address.json").exists():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT, seconds: float = 30) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.process = None
        return code

    @property
    def token(self) -> str:
        """The bearer token of the command line on this machine: its administrator's."""
        return (self.home / "cli-token").read_text().strip()

    def printed_link(self) -> str:
        """Return the one-time sign-in link that the start printed."""
        deadline = time.monotonic() + 60
        while True:  # the address is written just before it is said
            lines = self.output.read_text().splitlines()
            for line in lines:
                if "/sign-in/" in line:
                    return line.split()[-1]
            assert time.monotonic() < deadline, lines
            time.sleep(0.05)

    def sign_in_link(self) -> str:
        """Make another one-time sign-in link of the administrator."""
        code = (
            "import django; django.setup(); from experiments.services import access, setup; "
            "print(access.make_sign_in_link(setup.first_administrator()))"
        )
        plain = self.run_python(code).strip().splitlines()[-1]
        return f"{self.url}/sign-in/{plain}/"

    def run_python(self, code: str) -> str:
        """Run code with this studio's settings; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.root,
            env=self.environment | {"DJANGO_SETTINGS_MODULE": "studio.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def api(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        """Call the REST API as the administrator; return the decoded answer."""
        raw = None if body is None else json.dumps(body).encode()
        method = method or ("GET" if body is None else "POST")
        return json.loads(self._call(path, raw, "application/json", method))

    def upload(self, path: str, body: bytes, content_type: str) -> Any:
        """Post bytes as the administrator; return the decoded answer."""
        return json.loads(self._call(path, body, content_type, "POST"))

    def download(self, path: str) -> bytes:
        """Return the bytes at an address of the REST API."""
        return self._call(path, None, "application/json", "GET")

    def _call(self, path: str, body: bytes | None, content_type: str, method: str) -> bytes:
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            data=body,
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": content_type},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return bytes(response.read())

    def wait_for_end(self, sweep_id: str, seconds: float = 240) -> dict[str, Any]:
        """Wait until a sweep has ended; return it."""
        deadline = time.monotonic() + seconds
        while True:
            sweep: dict[str, Any] = self.api(f"/sweeps/{sweep_id}")
            if sweep["status"] in ("Completed", "Failed", "Canceled"):
                return sweep
            assert time.monotonic() < deadline, sweep
            time.sleep(0.2)


@contextmanager
def studio_on(database: str) -> Iterator[LiveStudio]:
    """Run a studio without slots in a folder of its own, on "sqlite" or "postgres"."""
    home = Path(tempfile.mkdtemp(prefix="studio-load-"))
    server = Postgres() if database == "postgres" else None
    try:
        if server is not None:
            server.start()
        studio = LiveStudio(home, workers=0)
        studio.extra = {} if server is None else {"DATABASE_URL": server.url}
        studio.start(seconds=300)
        try:
            yield studio
        finally:
            studio.stop(seconds=60)
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(home, ignore_errors=True)
