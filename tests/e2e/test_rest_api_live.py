"""docs/reference/rest-api.md works as it stands; a generated client submits a sweep."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import LiveStudio, clean_environment

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "rest-api.md").read_text()

# What somebody writes with the generated package: typed models in, typed models out.
PROGRAM = """
import io, os, zipfile
from client import AuthenticatedClient
from client.api.snapshots import upload_snapshot
from client.api.sweeps import get_sweep, list_runs, submit_sweep
from client.models import CreatedSweep, PrimaryMetric, PrimaryMetricGoal, ProblemDocument
from client.models import SweepDetail, SweepSpec, SweepSpecSearchSpace
from client.types import File

studio = AuthenticatedClient(base_url=os.environ["STUDIO_URL"], token=os.environ["STUDIO_TOKEN"])
code = io.BytesIO()
with zipfile.ZipFile(code, "w") as archive:
    archive.writestr("train.py", "from studio.sdk import Run; Run.get_context().log('a', 1)")
snapshot = upload_snapshot.sync(client=studio, body=File(io.BytesIO(code.getvalue())))
spec = SweepSpec(
    name="generated",
    snapshot=snapshot.id,
    script="train.py",
    search_space=SweepSpecSearchSpace.from_dict({"x": "choice(1, 2)"}),
    sampling="grid",
    primary_metric=PrimaryMetric(name="a", goal=PrimaryMetricGoal.MAXIMIZE),
    max_total_runs=2,
)
made = submit_sweep.sync(client=studio, body=spec, idempotency_key="generated-1")
assert isinstance(made, CreatedSweep), made
again = submit_sweep.sync(client=studio, body=spec, idempotency_key="generated-1")
assert again.id == made.id
read = get_sweep.sync(made.id, client=studio)
assert isinstance(read, SweepDetail) and read.limits.max_total_runs == 2, read
page = list_runs.sync(made.id, client=studio, sort="number", limit=10)
assert page.next_cursor is None and page.reading == "best"
spec.max_total_runs = 0
wrong = submit_sweep.sync(client=studio, body=spec)
assert isinstance(wrong, ProblemDocument) and wrong.errors[0].path == "max_total_runs", wrong
print(made.id)
"""


def _environment(studio: LiveStudio, **more: str) -> dict[str, str]:
    return clean_environment(STUDIO_URL=studio.url, STUDIO_TOKEN=studio.token, **more)


def test_snippets_of_the_page_run_as_they_stand(live_studio: LiveStudio, tmp_path: Path) -> None:
    program = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))

    done = subprocess.run(
        [sys.executable, "-"],
        input=program,
        env=_environment(live_studio),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert done.returncode == 0, done.stderr


def test_generated_client_submits_a_sweep_and_reads_it(
    live_studio: LiveStudio, tmp_path: Path
) -> None:
    """The commands of the page make the client, with curl where the machine has it."""
    (commands,) = re.findall(r"## A generated client\n\n```sh\n(.*?)```", PAGE, re.DOTALL)
    fetch, generate = commands.strip().splitlines()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = _environment(live_studio, PATH=path)
    if shutil.which("curl"):
        listed = re.findall(r"^curl .*sweeps.*$", PAGE, re.MULTILINE)
        answer = subprocess.run(
            ["bash", "-ec", "\n".join([*listed, fetch])],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert answer.returncode == 0, answer.stderr
        assert "items" in json.loads(answer.stdout)
    else:
        (tmp_path / "openapi.json").write_bytes(live_studio.download("openapi.json"))
    # Without the formatter that it would call on what it wrote.
    (tmp_path / "quiet.yaml").write_text("post_hooks: []\n")
    made = subprocess.run(
        [*generate.split(), "--meta", "none", "--config", "quiet.yaml"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert made.returncode == 0, made.stdout + made.stderr

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    sweep = live_studio.wait_for_end(done.stdout.strip())
    assert sweep["status"] == "Completed"
    assert sweep["best_run"]["value"] == 1
