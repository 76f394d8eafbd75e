"""docs/coming-from.md: the same sweep in our words, those of Azure ML, and those of Optuna."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.imports.build import Given, build
from experiments.imports.csv_runs import read_csv
from experiments.policies import make_policy
from experiments.spec import SweepSpec
from studio.sdk.journal import JOURNAL_VARIABLE, RUN_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "coming-from.md").read_text("utf-8")
# What the page leaves to its readers: 8 epochs, the better the nearer the rate is to 0.01.
TRAINING = """
import math

def epochs(learning_rate, batch_size):
    best = 1 / (1 + abs(math.log10(learning_rate) + 2) + batch_size / 1000)
    for epoch in range(1, 9):
        yield best * (1 - 0.5**epoch)
"""


def specification(heading: str) -> SweepSpec:
    """Return the sweep that stands below a heading."""
    part = PAGE.split(f"### {heading}\n")[1].split("\n##")[0]
    found = re.search(r"```yaml\n(.*?)```", part, re.DOTALL)
    assert found, heading
    return SweepSpec.parse(found[1])


def program(name: str) -> str:
    """Return the block of Python that carries this mark."""
    found = re.search(rf"<!-- tested: {name} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def run_python(text: str, folder: Path, *words: str, **environment: str) -> None:
    (folder / "training.py").write_text(TRAINING)
    (folder / "program.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "program.py", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_job_of_azure_ml_is_the_sweep_of_the_page():
    def plain(spec: SweepSpec) -> dict[str, Any]:
        wanted = ("search_space", "sampling", "primary_metric", "max_total_runs")
        chosen = {name: spec.dump()[name] for name in (*wanted, "max_concurrent_runs")}
        return {**chosen, "policy": make_policy(spec.early_termination_config).summary()}

    assert plain(specification("Azure ML")) == plain(specification("Here"))


def test_script_of_the_page_reports_what_it_trains(tmp_path):
    told = {RUN_VARIABLE: "HD_1_0", JOURNAL_VARIABLE: str(tmp_path / "metrics.jsonl")}
    words = specification("Here").arguments_for({"learning_rate": 0.01, "batch_size": 16})

    run_python(program("our script"), tmp_path, *words, **told)

    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["n"] for line in lines] == ["accuracy"] * 8


def test_study_of_the_page_runs(tmp_path):
    text = program("their study")
    assert "n_trials=40" in text
    run_python(text.replace("n_trials=40", "n_trials=10"), tmp_path)

    optuna = pytest.importorskip("optuna")
    study = optuna.load_study(study_name="digits", storage=f"sqlite:///{tmp_path}/study.db")
    # The first five are never pruned; which of the others are is left to chance.
    states = [trial.state.name for trial in study.trials]
    assert states[:5] == ["COMPLETE"] * 5
    assert len(states) == 10
    assert set(states) <= {"COMPLETE", "PRUNED"}


def test_table_of_ray_is_read_with_the_names_of_the_page():
    assert 'replace("config/", "params.")' in PAGE
    header = "accuracy,timestamp,done,training_iteration,trial_id,hostname,config/learning_rate"
    lines = [header.replace("config/", "params.") + "\n"]
    lines += ["0.9,1700000000,True,8,a1,here,0.01\n", "0.8,1700000060,False,5,a2,here,0.1\n"]

    given = Given(metrics=("accuracy",), goal="maximize")
    sweep = build(read_csv(lines, "results.csv", given), given)

    assert [run.params for run in sweep.runs] == [{"learning_rate": 0.01}, {"learning_rate": 0.1}]
