"""A whole studio that keeps its files in a bucket: a sweep, its pages, a model, a resumed sweep."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.s3 import S3Service, credentials, running_service
from tests.servers import ROOT, LiveStudio, clean_environment

pytestmark = pytest.mark.slow

TRAIN = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "reference" / "warm-start.md").read_text(), re.DOTALL
)[0]
SECRETS = """
import os
print("secrets:", [name for name in os.environ if name.startswith(("AWS_ACC", "AWS_SEC"))])
"""
SPEC: dict[str, Any] = {
    "name": "in a bucket",
    "experiment": "bucket",
    "script": "train.py",
    "search_space": {"rate": "choice(0.1, 0.3)"},
    "sampling": "grid",
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 2,
    "max_concurrent_runs": 2,
}
UP = "import sys; from studio import up; sys.exit(up.run(port={}))"


@pytest.fixture(scope="module")
def service() -> Iterator[S3Service]:
    with running_service() as service:
        service.make_bucket("studio")
        yield service


@pytest.fixture(scope="module")
def studio(service: S3Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStudio]:
    address = service.url("studio", "live")
    home = tmp_path_factory.mktemp("home")
    studio = LiveStudio(home, STUDIO_STORAGE_URL=address, **credentials())
    try:
        studio.start(seconds=300)
        yield studio
    finally:
        studio.stop()


def submit(studio: LiveStudio, source: Path, **more: Any) -> dict[str, Any]:
    made = studio.api("/sweeps", {**SPEC, "source_directory": str(source), **more})
    return studio.wait_for_end(made["id"])


def wait_until_stored(studio: LiveStudio, seconds: float = 60) -> None:
    """Wait until no ended run has files on the disk any more."""
    deadline = time.monotonic() + seconds
    while list((studio.home / "storage/runs").glob("*/*/logs")):
        assert time.monotonic() < deadline, (studio.home / "logs/watchdog.log").read_text()
        time.sleep(0.2)


def test_a_sweep_keeps_everything_in_the_bucket(
    studio: LiveStudio, service: S3Service, tmp_path: Path
):
    (tmp_path / "train.py").write_text(TRAIN + SECRETS)
    sweep = submit(studio, tmp_path)
    assert sweep["counts"] == {"Completed": 2}
    best = sweep["best_run"]["id"]
    wait_until_stored(studio)

    kept = service.open("studio", "live")
    names = {file.name for file in kept.files("runs")}
    attempts = {f"runs/{sweep['id']}/{number}" for number in (0, 1)}
    assert {f"{a}/outputs/checkpoint.json" for a in attempts} <= names
    assert {f"{a}/logs/std_log.txt" for a in attempts} <= names
    assert len(list(kept.files("snapshots"))) == 1

    # What the storage opens is not the script's.
    log = studio.api(f"/runs/{best}/logs")["text"]
    assert "secrets: []" in log
    raw = studio.download(f"/runs/{best}/files/outputs/checkpoint.json")
    assert json.loads(raw)["epoch"] == 5

    version = studio.api("/models/digits/versions", {"run": best})
    archive = studio.download(f"/models/digits/versions/{version['version']}/archive")
    assert zipfile.ZipFile(io.BytesIO(archive)).read("checkpoint.json") == raw
    assert list(kept.files("models"))

    again = submit(
        studio, tmp_path, max_total_runs=1, resume_from=[sweep["id"]], resume_child_runs=[best]
    )
    wait_until_stored(studio)
    [run] = studio.api(f"/sweeps/{again['id']}/runs")["items"]
    assert run["resumed_from"] == best
    resumed = studio.download(f"/runs/{run['id']}/files/outputs/checkpoint.json")
    assert json.loads(resumed)["epoch"] == 10

    page = open_page(studio, f"/runs/{best}/")
    assert "outputs/checkpoint.json" in page
    assert "secrets: []" in page

    # What is deleted for good leaves the bucket as well; a model lives on.
    studio.api(f"/sweeps/{sweep['id']}", method="DELETE")
    removal = studio.api(f"/trash/{sweep['id']}", method="DELETE")
    while removal["finished"] is None:
        time.sleep(0.2)
        removal = studio.api(f"/removals/{removal['id']}")
    left = {file.name for file in kept.files("runs")}
    assert not [name for name in left if name.startswith(f"runs/{sweep['id']}/")]
    assert f"runs/{again['id']}/0/outputs/checkpoint.json" in left
    assert studio.download(f"/models/digits/versions/{version['version']}/archive")


def open_page(studio: LiveStudio, path: str) -> str:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(studio.sign_in_link(), timeout=30):
        pass
    with opener.open(f"{studio.url}{path}", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize(
    ("before", "environment", "words"),
    [
        ("import sys; sys.modules['obstore'] = None; ", credentials(), "sweep-studio[s3]"),
        (
            "",
            dict.fromkeys(credentials(), ""),
            "and AWS_SECRET_ACCESS_KEY are not set",
        ),
        ("", {"STUDIO_STORAGE_URL": "s3:bucket"}, "STUDIO_STORAGE_URL names the bucket ''"),
    ],
    ids=["no library", "no credentials", "no bucket"],
)
def test_a_start_that_cannot_be_is_refused_in_one_sentence(
    tmp_path: Path, before: str, environment: dict[str, str], words: str
):
    env = {
        "STUDIO_HOME": str(tmp_path),
        "STUDIO_STORAGE_URL": "s3://bucket/prefix?endpoint_url=http://127.0.0.1:1",
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", before + UP.format(1)],
        cwd=ROOT,
        env=clean_environment(**env),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert words in done.stdout
    assert len(done.stdout.splitlines()) == 1
