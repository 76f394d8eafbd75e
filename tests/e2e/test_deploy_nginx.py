"""A studio below a prefix behind a real nginx with TLS, as examples/deploy has it."""

from __future__ import annotations

import http.cookiejar
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.nginx import Nginx, find_nginx
from tests.servers import LiveStudio

pytestmark = pytest.mark.slow
SCRIPT = (
    "import time\nfrom studio.sdk import Run\nrun = Run.get_context()\n"
    "for n in range(10):\n    run.log('accuracy', n)\n    time.sleep(0.2)\n"
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    if find_nginx() is None:
        if os.environ.get("STUDIO_REQUIRE_NGINX") == "1":
            pytest.fail("No nginx and openssl on PATH although STUDIO_REQUIRE_NGINX is 1.")
        pytest.skip("nginx and openssl are not installed")
    made = Path(tempfile.mkdtemp(prefix="studio-nginx-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def studio(folder: Path) -> Iterator[LiveStudio]:
    home = folder / "home"
    home.mkdir()
    made = LiveStudio(home, workers=1, STUDIO_BASE_PATH="/studio", STUDIO_ALLOWED_HOSTS="localhost")
    made.start()
    yield made
    if made.process is not None:
        made.stop()


@pytest.fixture(scope="module")
def proxy(folder: Path, studio: LiveStudio) -> Iterator[Nginx]:
    nginx = Nginx(folder, studio.port)
    nginx.start()
    yield nginx
    nginx.stop()


class Visitor:
    """A browser without pictures: cookies, and TLS that trusts the proxy."""

    def __init__(self, proxy: Nginx, studio: LiveStudio) -> None:
        self.proxy = proxy
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=proxy.context),
            urllib.request.HTTPCookieProcessor(self.jar),
        )
        link = studio.sign_in_link().removeprefix(studio.url)
        self.landed = self.read(link)[1]

    def read(self, path: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        origin = self.proxy.url.removesuffix("/studio")
        data = urllib.parse.urlencode(form).encode() if form else None
        headers = {"Origin": origin, "Referer": f"{self.proxy.url}{path}"} if form else {}
        request = urllib.request.Request(f"{self.proxy.url}{path}", data, headers)
        with self.opener.open(request, timeout=20) as answer:
            return answer.read().decode(), answer.url

    def call(self, path: str, body: bytes, kind: str, token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        address = f"{self.proxy.url}/api/v1/{path}"
        request = urllib.request.Request(address, body, headers, method="POST")
        with self.opener.open(request, timeout=60) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def visitor(proxy: Nginx, studio: LiveStudio) -> Visitor:
    return Visitor(proxy, studio)


def make_snapshot(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("train.py", SCRIPT)
        archive.writestr("data.bin", random.Random(7).randbytes(size))
    return file.getvalue()


def test_people_sign_in_and_change_things_through_the_proxy(visitor: Visitor) -> None:
    assert visitor.landed == f"{visitor.proxy.url}/dashboard/"
    assert [cookie.name for cookie in visitor.jar if not cookie.secure] == []
    page, _ = visitor.read("/compute/")
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    form = {"csrfmiddlewaretoken": found[1]}

    done, _ = visitor.read("/compute/local/change/", form | {"action": "drain"})
    assert "drained: nothing runs" in done
    visitor.read("/compute/local/change/", form | {"action": "undrain"})

    # The command that attaches machines has the address that people use, prefix and all.
    attach, _ = visitor.read("/compute/local/attach/", form | {"machine": "box"})
    assert f"STUDIO_URL={visitor.proxy.url} " in attach


def test_large_code_goes_in_and_live_updates_come_out(
    visitor: Visitor, studio: LiveStudio, proxy: Nginx
) -> None:
    whole = make_snapshot(20_000_000)
    digest = visitor.call("snapshots", whole, "application/zip", studio.token)["id"]
    spec = {
        "name": "behind nginx",
        "snapshot": digest,
        "script": "train.py",
        "search_space": {"x": "choice(1)"},
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 1,
    }
    body = json.dumps(spec).encode()
    sweep = visitor.call("sweeps", body, "application/json", studio.token)["id"]

    cookie = "; ".join(f"{item.name}={item.value}" for item in visitor.jar)
    origin = proxy.url.removesuffix("/studio")
    socket = connect(
        f"{proxy.url.replace('https', 'wss')}/ws/sweeps/{sweep}/?after=0",
        additional_headers={"Cookie": cookie, "Origin": origin},
        ssl=proxy.context,
        proxy=None,
    )
    cursors, text = [], ""
    with socket:
        while "Completed" not in text:
            frame = json.loads(socket.recv(timeout=90))
            cursors.append(frame["cursor"])
            text = json.dumps(frame["events"])
    assert cursors == sorted(set(cursors))
    assert len(cursors) > 2  # they came one by one, while it ran
    assert not list((proxy.folder / "body").rglob("*"))  # nothing of the upload was put on disk


def doctor(studio: LiveStudio, proxy: Nginx, **changes: str) -> dict[str, Any]:
    url = {"STUDIO_URL": proxy.url, "SSL_CERT_FILE": str(proxy.certificate)}
    done = subprocess.run(
        [sys.executable, "-m", "studio.cli", "doctor", "--json"],
        env=studio.environment | url | changes,
        capture_output=True,
        text=True,
        check=False,
    )
    return {f["name"]: f for f in json.loads(done.stdout)} | {"exit": done.returncode}


def test_doctor_looks_through_the_proxy(studio: LiveStudio, proxy: Nginx, folder: Path) -> None:
    found = doctor(studio, proxy)
    found.pop("exit")
    assert [f for f in found.values() if f["level"] != "ok"] == []
    assert found["Address"]["detail"] == f"{proxy.url} leads here"

    # Another name, another key, and a place of the proxy that is not the studio's.
    by_number = {"STUDIO_URL": proxy.url.replace("localhost", "127.0.0.2")}
    other = doctor(studio, proxy, STUDIO_SECRET_KEY="k" * 40, **by_number)
    assert "healthz answers 400" in other["Address"]["detail"]
    assert 'STUDIO_ALLOWED_HOSTS="localhost 127.0.0.2"' in other["Address"]["cure"]
    other = doctor(studio, proxy, STUDIO_SECRET_KEY="k" * 40)
    assert other["Address"]["detail"].endswith("has another secret key")
    assert other["exit"] == 1
    other = doctor(studio, proxy, STUDIO_URL=proxy.url.removesuffix("/studio"))
    assert other["Address"]["detail"].endswith("/healthz answers 404")


def test_doctor_names_a_proxy_without_sockets_and_one_without_a_studio(
    studio: LiveStudio, folder: Path
) -> None:
    (folder / "bare").mkdir()
    nginx = Nginx(folder / "bare", studio.port)
    nginx.start(("        proxy_set_header Upgrade           $http_upgrade;\n", ""))
    try:
        found = doctor(studio, nginx)
        assert found["exit"] == 0  # pages poll then
        assert found["Address"]["level"] == "ok"
        assert found["Live updates"]["level"] == "warning"
        assert "examples/deploy/nginx" in found["Live updates"]["cure"]
        assert "Pages ask every few seconds" in found["Live updates"]["why"]

        studio.stop()
        found = doctor(studio, nginx)
        assert found["Address"]["detail"].endswith("/healthz answers 502")
        assert "proxy_pass" in found["Address"]["cure"]
    finally:
        nginx.stop()
