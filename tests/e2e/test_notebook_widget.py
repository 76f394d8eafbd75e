"""The widget in a real JupyterLab: docs/reference/notebook.md from first to last cell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest

from tests.servers import ROOT, LiveStudio, clean_environment

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = (ROOT / "docs" / "reference" / "notebook.md").read_text()
CELLS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SCRIPT = """\
import argparse
import pathlib
import time

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--layers", type=int)
args = parser.parse_args()
run = Run.get_context()
for number in range(4):
    while number == 3 and not pathlib.Path("MARK").exists():
        time.sleep(0.05)
    run.log("accuracy", args.lr + number / 1000)
    print(f"report {number} <b>", flush=True)
"""
TOKEN = "lab"
DARK = "JupyterLab Dark"
# News and updates would be asked of other hosts.
NOTICES = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
SETTINGS = {
    "apputils-extension/notification": NOTICES,
    "notebook-extension/tracker": {"windowingMode": "none"},
}


class Lab:
    """A JupyterLab server of its own, on a port that it chose."""

    def __init__(self, home: Path, studio: LiveStudio) -> None:
        self.home = home
        self.folder = home / "notebooks"
        self.folder.mkdir()
        self.url = ""
        self._environment = clean_environment(
            PYTHONPATH=str(ROOT), STUDIO_HOME=str(studio.home), **self._folders()
        )
        self.process: subprocess.Popen[bytes] | None = None

    def _folders(self) -> dict[str, str]:
        names = (
            *("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"),
            *("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"),
        )
        return {name: str(self.home / name.lower()) for name in names}

    def start(self, seconds: float = 120) -> None:
        for name, values in SETTINGS.items():
            file = self.home / f"jupyterlab_settings_dir/@jupyterlab/{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        words = ["jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0"]
        words += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={self.folder}"]
        words += [f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"]
        with (self.home / "lab.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + seconds
        while not self._is_up():
            assert self.process.poll() is None, (self.home / "lab.log").read_text()
            assert time.monotonic() < deadline, (self.home / "lab.log").read_text()
            time.sleep(0.1)

    def _is_up(self) -> bool:
        for file in (self.home / "jupyter_runtime_dir").glob("jpserver-*.json"):
            try:
                self.url = json.loads(file.read_text())["url"]
            except ValueError:  # half written
                return False
            return True
        return False

    def stop(self) -> None:
        # The group: kernels are children of the server.
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(20)

    def notebook(self, name: str, cells: list[str]) -> str:
        """Write a notebook; return its address."""
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(book, self.folder / name)
        return f"{self.url}lab/tree/{name}?reset&token={TOKEN}"


@pytest.fixture(scope="module")
def lab(live_studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    found = Lab(tmp_path_factory.mktemp("lab"), live_studio)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def lab_page(chromium: Any, lab: Lab) -> Iterator[Any]:
    """A page whose console has no errors and which asks nobody but the notebook's server."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1200})
    page = context.new_page()
    faults: list[str] = []
    host = urlsplit(lab.url).netloc

    def note_request(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
            faults.append(f"request to another host: {url}")

    def note_message(message: Any) -> None:
        # What the notebook's own parts complain of is theirs; errors of a widget come elsewhere.
        address = message.location["url"]
        if message.type == "error" and "/static/lab/" not in address:
            faults.append(f"{message.text} {address}")

    page.on("console", note_message)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: note_request(request.url))
    yield page
    context.close()
    assert faults == []


def open_notebook(page: Any, address: str) -> None:
    """Open a notebook and wait until its kernel is there: before, commands go nowhere."""
    page.goto(address, timeout=120_000)
    session = "window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session"
    page.wait_for_function(f"() => {session}?.kernel", timeout=120_000)
    page.evaluate(
        """async () => {
          const { currentWidget } = window.jupyterapp.shell;
          await currentWidget.context.ready;
          await currentWidget.context.sessionContext.ready;
        }"""
    )


def command(page: Any, name: str, **words: Any) -> None:
    # Not awaited: to run cells ends with the last of them.
    code = "([name, words]) => { window.jupyterapp.commands.execute(name, words); }"
    page.evaluate(code, [name, words])


def shot(page: Any, name: str) -> None:
    folder = os.environ.get("STUDIO_TEST_SHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png")


def test_sweep_is_followed_in_jupyterlab(lab: Lab, lab_page: Any, live_studio: LiveStudio) -> None:
    from playwright.sync_api import expect

    page = lab_page
    mark = lab.folder / "go-on"
    (lab.folder / "train.py").write_text(SCRIPT.replace("MARK", str(mark)))
    open_notebook(page, lab.notebook("sweep.ipynb", CELLS))
    command(page, "notebook:run-all-cells")

    # Until the mark is there, two of six runs have reported, and the last cell waits for all.
    widget = page.locator(".notebook")
    chip = widget.locator("[data-part=head] .chip")
    expect(chip).to_have_text("Running", timeout=120_000)
    rows = widget.locator("tbody tr")
    expect(rows).to_have_count(2, timeout=60_000)
    lines = widget.locator(".runlines")
    expect(lines).to_have_js_property("drawn", 2, timeout=60_000)
    expect(widget.locator("[data-part=log] pre")).to_contain_text("report 2 <b>")
    shot(page, "running")

    mark.touch()
    expect(rows).to_have_count(6, timeout=120_000)
    expect(chip).to_have_text("Completed", timeout=120_000)
    expect(lines).to_have_js_property("drawn", 6)
    expect(page.get_by_text("best: HD_")).to_be_visible(timeout=60_000)
    expect(widget.get_by_text("This sweep has ended.")).to_be_visible()
    expect(widget.locator("svg.pc-axes .axis")).to_have_count(3)
    expect(widget.get_by_role("img", name="Runs: 6 completed")).to_be_visible()
    sweep = live_studio.api(f"/sweeps/{widget.locator('[data-part=foot] code').inner_text()}")
    best = sweep["best_run"]["number"]
    expect(rows.first).to_contain_text(f"Run {best}")
    link = widget.get_by_role("link", name="Open in the studio")
    expect(link).to_have_attribute("href", sweep["url"])

    other = next(number for number in range(6) if number != best)
    row = widget.get_by_role("button", name=f"Run {other}", exact=True)
    row.focus()
    page.keyboard.press("Enter")
    expect(widget.get_by_role("heading", name=f"Log of run {other}")).to_be_visible()
    expect(widget.locator("[data-part=log] pre")).to_contain_text("report 3 <b>")
    expect(row).to_have_attribute("aria-pressed", "true")
    # Enter was the widget's: the notebook did not begin to edit its cell.
    expect(page.locator(".jp-Notebook.jp-mod-editMode")).to_have_count(0)

    expect(widget).to_have_css("color-scheme", "light")
    command(page, "apputils:change-theme", theme=DARK)
    expect(widget).to_have_css("color-scheme", "dark")
    shot(page, "dark")
