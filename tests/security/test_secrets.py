"""Secrets of the studio planted as canaries, a real run, and a search through all that leaves it.

Pages, REST, metrics, exports, the capsule, the logs, Redis with its jobs, the environment and files
of the run, and the command lines of the studio's processes.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
import zipfile
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import pytest
import redis

from runner.environment import base_environment
from studio import embedded
from tests.e2e.page_addresses import OTHERS, Sample, route_addresses
from tests.servers import LiveStudio, Postgres

CANARIES = {
    name: f"canary-{name}-0123456789abcdef0123456789abcdef"
    for name in ("key", "database", "redis", "mail", "oidc", "metrics", "bucket", "target")
}
# Models of the administration that have to do with keys.
KEYS = re.compile("token|link|compute|worker|channel|session|sweep/|run/|user|identity|setting")
# Says what it can see of the studio; its own tokens backwards, so that they are found elsewhere.
SCRIPT = """\
import json, os, pathlib
from studio.sdk import Run

own = {name: os.environ[name][::-1] for name in ("STUDIO_RUN_TOKEN", "MLFLOW_TRACKING_TOKEN")}
assert os.environ["TARGET_SECRET"].startswith("canary-target")
seen = {k: v for k, v in os.environ.items() if k not in own and k != "TARGET_SECRET"}
for place in ("environ", "cmdline"):
    seen["parent " + place] = pathlib.Path(f"/proc/{os.getppid()}/{place}").read_text().replace(
        os.environ["TARGET_SECRET"], "").replace(os.environ["STUDIO_RUN_TOKEN"], "")
print(json.dumps(seen))
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/tokens.json").write_text(json.dumps(own))
Run.get_context().log("score", 1)
"""


@contextmanager
def redis_with_password(home):
    """Serve Redis as the studio does, with a password; give its address."""
    command = embedded.server_command(home)
    with (home / "redis.log").open("ab") as log:
        words = [*command, "--requirepass", CANARIES["redis"]]
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        socket = command[command.index("--unixsocket") + 1]
        url = f"unix://:{CANARIES['redis']}@{socket}?db=0"
        assert not embedded.wait_for_redis(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def database_with_password():
    """Serve PostgreSQL where it is installed; give its address, "" for the studio's own."""
    if Postgres.binaries() is None:
        yield ""
        return
    postgres = Postgres()
    postgres.start()
    try:
        yield postgres.url.replace("studio@", f"studio:{CANARIES['database']}@")
    finally:
        postgres.stop()


@pytest.fixture(scope="module")
def studio():
    home = Path(tempfile.mkdtemp(prefix="studio-secrets-"))
    with redis_with_password(home) as redis_url, database_with_password() as database_url:
        live = LiveStudio(
            home,
            workers=1,
            REDIS_URL=redis_url,
            DATABASE_URL=database_url,
            STUDIO_SECRET_KEY=CANARIES["key"],
            STUDIO_EMAIL_URL=f"smtp://studio:{CANARIES['mail']}@127.0.0.1:9?from=studio@example.org",
            STUDIO_METRICS_TOKEN=CANARIES["metrics"],
            STUDIO_OIDC_ISSUER="https://login.example",
            STUDIO_OIDC_CLIENT_ID="studio",
            STUDIO_OIDC_CLIENT_SECRET=CANARIES["oidc"],
            STUDIO_LOG_REQUESTS="1",
        )
        live.start()
        yield live
        if live.process is not None:
            live.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def sample(studio, tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    (folder / "train.py").write_text(SCRIPT)
    studio.api("/compute/local", {"secrets": {"TARGET_SECRET": CANARIES["target"]}}, method="PATCH")
    sweep = studio.api(
        "/sweeps",
        {
            "name": "canaries",
            "experiment": "canaries",
            "source_directory": str(folder),
            "script": "train.py",
            "search_space": {"x": "choice(1)"},
            "sampling": "grid",
            "primary_metric": {"name": "score", "goal": "maximize"},
            "max_total_runs": 1,
        },
    )["id"]
    assert studio.wait_for_end(sweep)["status"] == "Completed", studio.download(
        f"/runs/{sweep}_0/logs"
    )
    version = studio.api("/models/canary/versions", {"run": f"{sweep}_0"})
    hook = {"name": "h", "url": "https://hooks.example.org/a", "events": ["sweep.failed"]}
    made = studio.api("/webhooks", hook)
    link = studio.api(
        f"/sweeps/{sweep}/share-links", {"days": 1, "with_files": True, "with_reasons": True}
    )
    parameters = {
        "sweep_id": sweep,
        "run_id": f"{sweep}_0",
        "ids": sweep,
        "path": "logs/std_log.txt",
        "token": link["url"].rstrip("/").rpartition("/")[2],
        "workspace": version["workspace"],
        "slug": version["workspace"],
        "name": "canary",
        "number": "1",
        "format_name": "yaml",
        "webhook_id": made["id"],
    }
    return Sample(parameters, {})


def opener_of(studio):
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    opener.open(studio.sign_in_link()).close()
    return opener


def read(opener, address):
    """Return everything of an answer: status, headers and body."""
    try:
        with opener.open(address, timeout=60) as answer:
            return f"{answer.headers}\n{answer.read().decode('utf-8', 'replace')}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.headers}\n{error.read().decode('utf-8', 'replace')}"


def admin_pages(opener, studio):
    """Return the address of every list of the administration, and of a row where keys belong."""
    index = read(opener, f"{studio.url}/admin/")
    lists = sorted(set(re.findall(r'href="(/admin/\w+/\w+/)"', index)))
    rows = []
    for page in [page for page in lists if KEYS.search(page)]:
        found = re.search(rf'href="({page}[^"/]+/change/)[^"]*"', read(opener, studio.url + page))
        rows += [found[1]] if found else []
    assert len(lists) > 10
    assert len(rows) > 4
    return [*lists, *rows]


def everything_of_redis(studio):
    """Return every key of Redis with what it holds."""
    client = redis.Redis.from_url(studio.extra["REDIS_URL"])
    kinds = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"stream": lambda key: client.xrange(key),
    }
    found = {
        key: repr(kinds[client.type(key)](key)) for key in client.scan_iter() if client.exists(key)
    }
    client.close()
    return "\n".join(f"{key!r} {value}" for key, value in found.items())


@pytest.mark.slow
def test_no_secret_is_anywhere_outside(studio, sample):
    run = sample.parameters["run_id"]
    sweep = sample.parameters["sweep_id"]
    opener = opener_of(studio)
    addresses = [
        *(a for name, a in route_addresses(sample).items() if name != "sign_out"),
        *OTHERS,
        *admin_pages(opener, studio),
        f"/sweeps/{sweep}/capsule",
        f"/api/v1/sweeps/{sweep}/spec",
        f"/api/v1/sweeps/{sweep}/export/metrics?format=json",
        f"/api/v1/sweeps/{sweep}/export/runs?format=csv",
        f"/api/v1/runs/{run}",
        f"/api/v1/runs/{run}/logs",
        "/api/v1/compute",
        "/api/v1/openapi.json",
        "/metrics",
        "/healthz",
    ]
    places = {address: read(opener, studio.url + address) for address in addresses}
    tokens = json.loads(studio.download(f"/runs/{run}/files/outputs/tokens.json"))
    places["redis"] = everything_of_redis(studio)
    places["printed"] = studio.output.read_text()
    for log in (studio.home / "logs").glob("*.log*"):
        places[log.name] = log.read_text(errors="replace")
    snapshots = (studio.home / "storage" / "snapshots").rglob("*.zip")
    places["snapshot"] = "".join(
        archive.read(name).decode("utf-8", "replace")
        for path in snapshots
        for archive in [zipfile.ZipFile(io.BytesIO(path.read_bytes()))]
        for name in archive.namelist()
    )
    assert studio.process is not None
    family = psutil.Process(studio.process.pid)
    for child in (family, *family.children(recursive=True)):
        places[f"command line of {child.pid}"] = " ".join(child.cmdline())
    secrets = {
        **CANARIES,
        "token of the command line": studio.token,
        "token of the run": tokens["STUDIO_RUN_TOKEN"][::-1],
    }

    assert "canaries" in places[f"/sweeps/{sweep}/"]
    assert "rq:" in places["redis"]
    assert '"parent environ"' in places[f"/api/v1/runs/{run}/logs"].replace('\\"', '"')
    found = [
        f"{name} in {place}"
        for place, text in places.items()
        for name, secret in secrets.items()
        if secret in text
    ]
    assert not found


@pytest.mark.slow
def test_processes_of_the_studio_are_closed_to_scripts(studio):
    """The kernel shows environment and memory of a process that cannot be dumped to nobody else."""
    code = (
        "import ctypes, os, django; before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0); "
        "django.setup(); print(before, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    assert studio.run_python(code).split() == ["1", "0"]
    if os.getuid() != 0:  # root reads all of them
        assert studio.process is not None
        for child in psutil.Process(studio.process.pid).children():
            if "studio" in " ".join(child.cmdline()) and "redis" not in child.name():
                with pytest.raises(PermissionError):
                    Path(f"/proc/{child.pid}/environ").read_bytes()


def test_scripts_see_no_key_of_the_bucket_and_all_of_their_own():
    bucket = {
        "STUDIO_STORAGE_URL": "s3://sweeps",
        "AWS_SECRET_ACCESS_KEY": CANARIES["bucket"],
        "AWS_WEB_IDENTITY_TOKEN_FILE": CANARIES["bucket"],
        "AWS_REGION": "eu-1",
        "HOME": "/home/alice",
    }

    assert base_environment(bucket) == {"AWS_REGION": "eu-1", "HOME": "/home/alice"}
    own = {**bucket, "STUDIO_STORAGE_URL": "file:///data"}
    assert base_environment(own)["AWS_SECRET_ACCESS_KEY"] == CANARIES["bucket"]
