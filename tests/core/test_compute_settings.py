"""What may be set for a compute target, and what is said about the rest."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.compute_settings import (
    environment_warnings,
    has_label,
    label_text,
    read_changes,
)
from experiments.problems import ProblemsError


def refused(**raw: Any) -> dict[str, str]:
    with pytest.raises(ProblemsError) as caught:
        read_changes(raw)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_labels_are_read_from_words_and_mappings():
    wanted = {"gpu": "a100", "room": "4 b", "spot": ""}

    assert read_changes({"labels": " gpu=a100, spot\nroom= 4 b,"}).labels == wanted
    assert read_changes({"labels": {"spot": None, "gpu": "a100", "room": "4 b"}}).labels == wanted
    assert read_changes({"labels": ["spot", "gpu=a100", "room=4 b"]}).labels == wanted
    assert [label_text(*pair) for pair in wanted.items()] == ["gpu=a100", "room=4 b", "spot"]


def test_label_is_found_with_and_without_its_value():
    labels = {"gpu": "a100", "spot": ""}

    assert [has_label(labels, w) for w in ("gpu", "gpu=a100", "spot")] == [True] * 3
    assert [has_label(labels, w) for w in ("gpu=h100", "a100", "spot=1")] == [False] * 3


def test_every_problem_is_told_at_once_and_no_secret_with_it():
    found = refused(
        labels="-gpu, a=b, a=c",
        python="venv/bin/python",
        environment={"STUDIO_URL": "x", "1ST": "y", "OK": "z"},
        secrets={"HF TOKEN": "hunter2", "EMPTY": "", "NUL": "hunter2\0", "N": 3, "GONE": None},
        colour="red",
        enabled="yes",
    )

    assert set(found) == {
        "labels.-gpu",
        "labels.a",
        "python",
        "environment.STUDIO_URL",
        "environment.1ST",
        "secrets.HF TOKEN",
        "secrets.EMPTY",
        "secrets.NUL",
        "secrets.N",
        "colour",
        "enabled",
    }
    assert "hunter2" not in str(found)
    assert "absolute path" in found["python"]
    assert found["environment.STUDIO_URL"].startswith("STUDIO_URL is set by the studio itself")


@pytest.mark.parametrize("path", ["/opt/a b/bin/python", "python3.12", "", None, " /usr/bin/R "])
def test_interpreter_is_a_path_or_a_name(path):
    assert read_changes({"python": path}).python == (path or "").strip()


@pytest.mark.parametrize("path", ["python -u", "bin/", "/opt/bin/", "a\nb", 3, "/" + "a" * 500])
def test_anything_else_is_no_interpreter(path):
    assert set(refused(python=path)) == {"python"}


def test_variables_that_every_program_needs_are_warned_about():
    assert environment_warnings(["PATH", "LANG"]) == [
        "PATH is set for every run: programs that scripts call by name are looked for there alone."
    ]
