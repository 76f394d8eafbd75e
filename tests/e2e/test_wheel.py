"""The wheel in an empty environment, far from any checkout: everything is there and works."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import distribution
from tests.previous import Visitor
from tests.servers import ROOT, clean_environment, free_port, wait

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[distribution.Built, Path]:
    """What is built of the sdist, and of the checkout right after it."""
    built = distribution.build(tmp_path_factory.mktemp("dist"))
    return built, distribution.build_wheel(ROOT, tmp_path_factory.mktemp("again"))


@pytest.fixture(scope="module")
def built(both: tuple[distribution.Built, Path]) -> distribution.Built:
    return both[0]


@pytest.fixture(scope="module")
def environment(built: distribution.Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it asks for, as pipx makes one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python")]
    pip += ["--disable-pip-version-check", "-q"]
    subprocess.run(
        [*pip, "install", "-c", str(ROOT / "constraints.txt"), str(built.wheel)], check=True
    )
    assert subprocess.run([*pip, "check"], check=False).returncode == 0
    return folder


class Installed:
    """A studio of the wheel: its program by a link on PATH, an empty folder as home."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.python = environment / "bin/python"
        (folder / "bin").mkdir()
        (folder / "bin/studio").symlink_to(environment / "bin/studio")
        self.home = folder / "home"
        self.home.mkdir()
        path = f"{folder / 'bin'}:/usr/bin:/bin"
        self.variables = clean_environment(PATH=path, HOME=str(self.home))
        for name in ("PYTHONPATH", "VIRTUAL_ENV", "XDG_DATA_HOME", "PYTHONDONTWRITEBYTECODE"):
            self.variables.pop(name, None)
        self.data = self.home / ".local/share/sweep-studio"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / "up.txt"

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words, cwd=self.home, env=self.variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def api(self, path: str) -> Any:
        token = (self.data / "cli-token").read_text()
        headers = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


@pytest.fixture
def studio(environment: Path, tmp_path: Path) -> Iterator[Installed]:
    """`studio up`, and nothing else, in an empty folder."""
    installed = Installed(environment, tmp_path)
    words = ["studio", "up", "--port", str(installed.port)]
    with installed.output.open("wb") as file:
        process = subprocess.Popen(
            words,
            executable=tmp_path / "bin/studio",
            cwd=installed.home,
            env=installed.variables,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait(lambda: process.poll() is not None or (installed.data / "address.json").exists())
        assert process.poll() is None, installed.output.read_text()
        yield installed
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    finally:
        process.kill()


def contents(environment: Path) -> dict[str, str]:
    """Return every file of an environment with a mark of what is in it."""
    found = {}
    for folder, _, names in os.walk(environment):
        for path in (Path(folder) / name for name in names):
            stat = path.lstat()
            found[str(path)] = f"{stat.st_size} {stat.st_mtime_ns}"
    return found


def test_distributions_have_what_the_repository_has_and_no_tests(built):
    assert distribution.problems(built) == []


def test_wheel_of_the_checkout_is_that_of_the_sdist_byte_for_byte(both):
    built, again = both

    assert distribution.differences(built, again) == []
    assert built.wheel.read_bytes() == again.read_bytes()


def test_installed_studio_runs_its_example_and_writes_into_no_package(environment, studio):
    before = contents(environment)
    visitor = Visitor(studio.url)

    link = re.search(r"http\S+/sign-in/\S+", studio.output.read_text())
    assert link
    page = visitor.get(link[0])
    assert (number := studio.run("studio", "--version").split()[-1]) in page
    (sweep,) = studio.api("/sweeps")["items"]
    wait(lambda: studio.api(f"/sweeps/{sweep['id']}")["counts"].get("Completed"))
    for address in ("", "charts/", "best/"):
        assert sweep["name"] in visitor.get(f"/sweeps/{sweep['id']}/{address}")
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert styles
    assert all(visitor.get(address) for address in styles)
    assert "first sweep" in visitor.get("/docs/").lower()
    assert "no-library" in visitor.get("/sweeps/new/")
    assert studio.api("/site")["version"].startswith(f"{number}+")

    assert "packages as required" in studio.run("studio", "doctor")
    assert "submit" in studio.run("studio", "help", "submit")
    assert "_studio_completion" in studio.run("studio", "completion", "bash")
    shim = "from studio.sdk import azureml, widget_source; print(azureml.enable())\n"
    shim += "from azureml.core import Run; print(len(widget_source.load()))"
    assert studio.run(str(studio.python), "-c", shim).split() == ["True", "3"]

    assert contents(environment) == before
    assert [path.name for path in studio.home.iterdir()] == [".local"]
