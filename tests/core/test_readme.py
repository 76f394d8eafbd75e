"""README.md: its script trains, its sweep is one, and its comparison names its sources."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from experiments.spec import SweepSpec
from studio.sdk.journal import JOURNAL_VARIABLE, RUN_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_readme_trains_what_it_shows(tmp_path):
    script = re.search(r"<!-- tested: first script -->\n```python\n(.*?)```", README, re.DOTALL)
    sweep = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert script
    assert sweep
    spec = SweepSpec.parse(sweep[1])
    (tmp_path / spec.script).write_text(script[1])
    journal = tmp_path / "metrics.jsonl"

    subprocess.run(
        spec.argv({"learning_rate": 0.1}, sys.executable),
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            RUN_VARIABLE: "HD_1_0",
            JOURNAL_VARIABLE: str(journal),
        },
        check=True,
    )

    losses = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len(losses) == 20
    assert {report["n"] for report in losses} == {spec.metric_name}
    assert losses[-1]["v"] < losses[0]["v"]


def test_sources_of_the_comparison_are_all_there():
    named = re.findall(r"\[([A-Z]\d)\](?!:)", README)
    given = re.findall(r"^\[([A-Z]\d)\]: (?:https://\S+|docs/\S+)$", README, re.MULTILINE)

    assert set(named) == set(given)
    assert len(given) == len(set(given))
