"""The studio as it was: its code out of the history, people's work in it, and all rows it wrote.

`python -m tests.previous` makes the stored state (tests/golden/upgrade) anew; clones without a
history are upgraded from that.
"""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Final, NamedTuple

from experiments.snapshot_rules import list_files, write_zip
from tests.servers import ROOT, LiveStudio, wait

# Where there is no release yet: before accounts, workspaces, site settings and quotas.
EARLIER: Final = "dd650969d02eb278a22a5beeeb8f1bce13971696"
STORED: Final = ROOT / "tests/golden/upgrade"
# Where its data folder was, in the words of the stored state.
_HOME: Final = "/srv/studio"
PASSWORD: Final = "correct horse battery"
# Kept by a studio for itself: who works just now, and what may be asked twice meanwhile.
PASSING: Final = {"experiments_worker"}
# What moves in rows that were there, once a studio takes up its live runs again.
MOVING: Final = {
    "experiments_apitoken": {"last_used_at"},
    "experiments_metricchunk": {"count", "stamp"},
    "experiments_metricseries": {"count", "last_step", "last_value", "maximum", "minimum"},
    "experiments_notification": {"spread_at"},
    # Only of what had not ended: who executes it, what it has reported, how it stands.
    "experiments_run": {
        *("best_interval", "best_step", "best_value", "command", "directory", "end_reason"),
        *("ended_at", "executor_pid", "executor_started", "exit_code", "facts", "fence"),
        *("guard_pid", "host", "last_decision", "last_seq", "last_value", "lease_expires_at"),
        *("log_bytes", "output_bytes", "reason", "reports", "stamp", "started_at", "state"),
        *("token_digest", "worker_name"),
    },
    "experiments_sweep": {"best_run_id", "best_stamp", "best_value", "cursor", "next_number"},
}
# Reports that were still in the journals come behind the others.
GROWING: Final = {"experiments_metricchunk": {"marks", "times", "values", "steps"}}
# Runs end when nobody holds them any more, wherever the data folder is by then.
SCRIPT: Final = """\
import argparse, pathlib, time
from studio.sdk import Run
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=int)
parser.add_argument("--hold", type=int, default=0)
args = parser.parse_args()
run = Run.get_context()
home = next(p.parent for p in pathlib.Path.cwd().parents if p.name == "storage")
pathlib.Path("outputs/model.txt").write_text(f"model {args.x}")
print("hello from", args.x, flush=True)
for step in range(20):
    run.log("accuracy", args.x + step / 100)
while args.hold and (home / "hold").exists():
    run.log("accuracy", args.x)
    time.sleep(0.05)
"""
_ROWS: Final = """
import json
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    found = {}
    for name in connection.introspection.table_names(cursor):
        cursor.execute(f'SELECT * FROM "{name}"')
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row)) for row in cursor.fetchall()]
        key = connection.introspection.get_primary_key_column(cursor, name)
        found[name] = {str(row[key]): row for row in rows}
plain = lambda v: bytes(v).hex() if isinstance(v, memoryview | bytes) else str(v)
print(json.dumps(found, default=plain))
"""
Rows = dict[str, dict[str, dict[str, Any]]]


class Sweeps(NamedTuple):
    """Ids of the sweeps that people have made."""

    ended: str
    running: str
    paused: str


def previous_commit() -> str | None:
    """Return the newest release, or a commit that stands for one; None: the history is not here."""
    found = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^")
    commit = found.decode().strip() or EARLIER
    return commit if _git("cat-file", "-t", commit).strip() in {b"commit", b"tag"} else None


def take_code(commit: str, folder: Path) -> Path:
    """Lay out the code of a commit in a folder; return it."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", "--format=tar", commit))) as files:
        files.extractall(folder, filter="data")
    return folder


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def rows_of(studio: LiveStudio) -> Rows:
    """Return every row of every table, by its key."""
    found: Rows = json.loads(studio.run_python(_ROWS).splitlines()[-1])
    return found


class Visitor:
    """Somebody's browser: cookies, forms with the token that they need."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, address: str) -> str:
        """Return a page."""
        with self._opener.open(urllib.parse.urljoin(self.url, address), timeout=60) as answer:
            return str(answer.read().decode())

    def post(self, address: str, **fields: str) -> str:
        """Send a form; return the page that follows."""
        token = next(cookie.value for cookie in self.jar if cookie.name == "csrftoken")
        whole = urllib.parse.urljoin(self.url, address)
        request = urllib.request.Request(
            whole,
            urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode(),
            headers={"Referer": whole},
        )
        with self._opener.open(request, timeout=60) as answer:
            return str(answer.read().decode())

    def sign_in(self, name: str) -> None:
        """Sign in with the password."""
        self.get("/sign-in/")
        self.post("/sign-in/", username=name, password=PASSWORD)


def submit(studio: LiveStudio, folder: Path, name: str, *, hold: bool, runs: int) -> str:
    """Submit a sweep of SCRIPT; return its id."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "train.py").write_text(SCRIPT)
    with (folder / "source.zip").open("w+b") as file:
        write_zip(list_files(source), file)
        file.seek(0)
        digest = studio.upload("/snapshots", file.read(), "application/zip")["id"]
    spec = {
        "name": name,
        "snapshot": digest,
        "script": "train.py",
        "arguments": ["--hold", int(hold)],
        "search_space": {"x": f"choice({', '.join(map(str, range(1, runs + 1)))})"},
        "sampling": "grid",
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": runs,
        "max_concurrent_runs": 2,
    }
    return str(studio.api("/sweeps", spec)["id"])


def runs_of(studio: LiveStudio, sweep: str) -> list[dict[str, Any]]:
    """Return the runs of a sweep, the first one first."""
    found: list[dict[str, Any]] = studio.api(f"/sweeps/{sweep}/runs?limit=200")["items"]
    return sorted(found, key=lambda run: run["number"])


def people_work(studio: LiveStudio, folder: Path) -> Sweeps:
    """Let people sign in, run sweeps, register, note and share; two sweeps are live at the end."""
    (studio.home / "hold").touch()
    studio.run_python(
        "import django; django.setup(); from django.contrib.auth.models import User; "
        f"User.objects.create_superuser('ada', 'ada@studio.example', {PASSWORD!r})"
    )
    ended = submit(studio, folder, "ended", hold=False, runs=3)
    assert studio.wait_for_end(ended)["status"] == "Completed"
    best = studio.api(f"/sweeps/{ended}/best-run")["id"]
    studio.api("/models/kept/versions", {"run": best, "description": "the best of three"})
    ada = Visitor(studio.url)
    ada.sign_in("ada")
    ada.post(f"/sweeps/{ended}/notes/", text="**Why** this one", version="0")
    ada.post(f"/sweeps/{ended}/share/", name="the reviewers", days="30")
    running = submit(studio, folder, "running", hold=True, runs=4)
    wait(lambda: sum(run["reports"] > 20 for run in runs_of(studio, running)) == 2)
    # Both slots are taken: none of its runs begins.
    paused = submit(studio, folder, "paused", hold=False, runs=2)
    wait(lambda: studio.api(f"/sweeps/{paused}")["status"] == "Running")
    studio.api(f"/sweeps/{paused}/pause", {})
    return Sweeps(ended, running, paused)


def kill(studio: LiveStudio) -> None:
    """End everything of a studio at once; what it had begun to write stays as it is."""
    assert studio.process is not None
    studio.process.kill()
    studio.process.wait()
    studio.process = None
    # Its processes see that it is gone and end; the next one must not meet their server.
    wait(lambda: not _answers(studio), 60)
    (studio.home / "address.json").unlink()


def _answers(studio: LiveStudio) -> bool:
    try:
        Visitor(studio.url).get("/healthz")
    except OSError:
        return False
    return True


def main() -> None:
    """Store a killed studio: its rows as SQL, its other files as an archive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        old = LiveStudio(home, root=take_code(EARLIER, folder / "code"))
        old.start()
        sweeps = people_work(old, folder)
        kill(old)
        store(home, sweeps)


def store(home: Path, sweeps: Sweeps) -> None:
    """Keep a data folder beside the tests."""
    STORED.mkdir(exist_ok=True)
    with sqlite3.connect(home / "studio.sqlite3") as database:
        text = "\n".join(database.iterdump()) + "\n"
    # Another machine has neither of them.
    text = text.replace(str(home), _HOME).replace(sys.prefix, "/opt/sweep-studio")
    (STORED / "studio.sql").write_text(text)
    with tarfile.open(STORED / "home.tar.gz", "w:gz") as files:
        for part in ("secret-key", "cli-token", "storage", "hold"):
            files.add(home / part, part, filter=_anonymous)
    made_by = {"commit": EARLIER, "sweeps": sweeps._asdict()}
    (STORED / "made_by.json").write_text(json.dumps(made_by, indent=1) + "\n")


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def lay_out_stored(home: Path) -> Sweeps:
    """Make the data folder of the stored state."""
    home.mkdir()
    with tarfile.open(STORED / "home.tar.gz") as files:
        files.extractall(home, filter="data")
    with sqlite3.connect(home / "studio.sqlite3") as database:
        database.executescript((STORED / "studio.sql").read_text().replace(_HOME, str(home)))
    return Sweeps(**json.loads((STORED / "made_by.json").read_text())["sweeps"])


if __name__ == "__main__":
    main()
