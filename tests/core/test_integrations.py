"""Helpers of training frameworks: every program of their page, run with the framework itself."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from studio.sdk import Run
from studio.sdk.integrations.framework_metrics import FrameworkMetrics
from studio.sdk.journal import JOURNAL_VARIABLE, RUN_VARIABLE, parse_report

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "integrations.md").read_text()
RUN_ID = "HD_11111111-2222-3333-4444-555555555555_7"

# Name of each program's framework, and of the metrics with the steps that it must report.
EPOCHS = [1, 2, 3]
ROUNDS = list(range(1, 21))
PROGRAMS = [
    ("keras", dict.fromkeys(("accuracy", "loss", "val_accuracy", "val_loss"), EPOCHS)),
    ("lightgbm", dict.fromkeys(("auc", "valid-binary_logloss"), ROUNDS)),
    ("xgboost", dict.fromkeys(("auc", "validation_0-logloss"), ROUNDS)),
    ("sklearn", {"accuracy": list(range(1, 11))}),
    ("sklearn", {"accuracy": list(range(1, 16))}),
    ("sklearn", {"accuracy": None}),
    ("lightning", {"val_loss": [3, 7, 11]}),
    ("transformers", {"loss": [8, 16, 24], "eval_loss": [8, 16, 24]}),
]
CODES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
# PyTorch is far larger than all other tools together: its two programs run where it is installed.
HERE = [
    pytest.param(code, expected, id=f"{number}-{name}")
    for number, (code, (name, expected)) in enumerate(zip(CODES, PROGRAMS, strict=True))
    if importlib.util.find_spec(name)
]


@pytest.mark.parametrize(("code", "expected"), HERE)
def test_program_reports_to_its_run(code, expected, tmp_path):
    journal = tmp_path / "metrics.jsonl"
    variables = {
        RUN_VARIABLE: RUN_ID,
        JOURNAL_VARIABLE: str(journal),
        "PYTHONPATH": str(ROOT),
        "KERAS_BACKEND": "jax",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found: dict[str, list[float]] = {}
    for line in journal.read_text().splitlines():
        name, value, step, _ = parse_report(line)
        assert math.isfinite(value)
        found.setdefault(name, []).append(step)
    for name, steps in expected.items():
        assert found[name] == (steps or list(range(1, len(found[name]) + 1)))
        assert len(found[name]) > 2
    assert "Sweep Studio" not in done.stderr


def test_frameworks_that_must_be_here_are_here():
    assert {param.id.split("-")[1] for param in HERE} >= {"keras", "lightgbm", "xgboost", "sklearn"}


def test_what_cannot_be_reported_is_said_once_and_ends_nothing(capsys):
    run = Run.get_context()
    metrics = FrameworkMetrics(run, {"loss": "validation loss"})

    for step in (1, 2):
        metrics.report({"loss": 0.5 / step, "matrix": [[1, 2]], "nothing": None}, step=step)
    metrics.report(None)

    assert run.get_metrics() == {"validation loss": [0.5, 0.25]}
    assert capsys.readouterr().err.count("'matrix' is not reported") == 1


def test_model_without_epochs_or_stages_is_refused():
    from sklearn.svm import SVC

    from studio.sdk.integrations.sklearn import fit_in_epochs, log_stages

    with pytest.raises(TypeError, match="SVC has no partial_fit; use log_stages"):
        fit_in_epochs(SVC(), [[0], [1]], [0, 1], ([[0]], [0]), "accuracy")
    with pytest.raises(TypeError, match="SVC has no staged_predict; log its score"):
        log_stages(SVC(), ([[0]], [0]), "accuracy", lambda y, p: 0.0)
