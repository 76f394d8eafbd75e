"""Pages of the documentation, executed from top to bottom in a real shell beside a real studio."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.doc_blocks import LIVE, blocks_of, session_of
from tests.e2e.command import SCRIPT, spec_text
from tests.servers import LiveStudio

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sweeps(live_studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The ended sweeps that pages call $SWEEP and $OLD."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "train.py").write_text(SCRIPT)
    spec = {**json.loads(spec_text()), "source_directory": str(folder)}
    made = [str(live_studio.api("/sweeps", {**spec, "name": name})["id"]) for name in "ab"]
    for one in made:
        live_studio.wait_for_end(one)
    return made


def shell(
    script: str, studio: LiveStudio, folder: Path, **more: str
) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "STUDIO_URL": studio.url, "STUDIO_TOKEN": studio.token, **more}
    return subprocess.run(
        ["bash", "-c", script],
        env={**studio.environment, **variables},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("page", LIVE)
def test_page_works_as_it_stands(
    page: str, live_studio: LiveStudio, sweeps: list[str], tmp_path: Path
) -> None:
    done = shell(session_of(page), live_studio, tmp_path, SWEEP=sweeps[0], OLD=sweeps[1])

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for seen in SEEN.get(page, ()):
        assert re.search(seen, done.stdout + done.stderr, re.MULTILINE), f"{seen}\n{done.stdout}"
    for name, words in LEFT.get(page, {}).items():
        assert words in (tmp_path / name).read_text()


# What a reader sees, and what is in the folder afterwards.
SEEN: dict[str, tuple[str, ...]] = {
    "docs/first-sweep.md": (r"^loss", r"--learning_rate", r"Completed|Stopped early"),
    "docs/defining-sweeps.md": (
        r"^HD_",
        "Did you mean max_total_runs",
        "choice has no values",
        "highest",
        "exit code 2",
    ),
    "docs/scripts-and-clients.md": (r"_0", r"model\.txt"),
    "docs/teams-and-administration.md": (r"HD_", "would lose outputs"),
}
LEFT: dict[str, dict[str, str]] = {
    "docs/first-sweep.md": {"runs.csv": "learning_rate"},
    "docs/scripts-and-clients.md": {"best.json": "hyperparameters"},
}


def test_answer_about_readiness_is_the_one_that_is_described(live_studio: LiveStudio) -> None:
    (described,) = [
        json.loads(block.text)
        for block in blocks_of("docs/reference/administration.md")
        if block.language == "json"
    ]
    with urllib.request.urlopen(f"{live_studio.url}/readyz", timeout=30) as answer:
        given: dict[str, Any] = json.load(answer)

    assert set(described) == set(given)
    assert set(described["features"]) == set(given["features"])
