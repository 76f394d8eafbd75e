"""The files that a specification names, held against those that are there."""

from __future__ import annotations

import json

import pytest

from experiments.problems import Problem
from experiments.spec import SweepSpec
from experiments.spec_files import check_script, readable_parts

VALID = {
    "script": "train.py",
    "search_space": {"lr": "uniform(0, 1)"},
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 10,
}


def spec_of(**changes):
    return SweepSpec.parse({**VALID, **changes})


@pytest.mark.parametrize(
    "script", ["train.py", "./train.py", "src/train.py", "src//train.py", "tool.sh"]
)
def test_script_that_is_there_is_no_problem(script):
    assert check_script(spec_of(script=script), ["train.py", "src/train.py", "tool.sh"]) is None


def test_script_that_is_missing_is_answered_by_what_is_there():
    names = ["README.md", *(f"step{n}.py" for n in range(9)), "trian.py"]

    assert check_script(spec_of(), names) == Problem(
        "script",
        '"train.py" is not in source_directory, which has step0.py, step1.py, step2.py, step3.py, '
        'step4.py, step5.py, step6.py, step7.py and 2 more. Did you mean "trian.py"?',
    )


def test_directory_without_scripts_says_so():
    text = '"train.py" is not in source_directory, which has no Python file.'

    assert check_script(spec_of(), ["data.csv"]) == Problem("script", text)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("python train.py ${{search_space.lr}}", "command"),
        ("python3 './train.py' --lr=${{search_space.lr}}", "command"),
        # What else is run cannot be told from the words.
        ("python -m train ${{search_space.lr}}", None),
        ("./train.py ${{search_space.lr}}", None),
        ("python ${{search_space.lr}}.py", None),
        ("python", None),
    ],
)
def test_script_of_a_python_command_must_be_there(command, path):
    command = command if "${{" in command else f"{command} '${{{{search_space.lr}}}}'"
    spec = spec_of(script=None, command=command)

    found = check_script(spec, ["other.py"])

    assert (found.path if found else None) == path
    assert check_script(spec, ["other.py", "train.py"]) is None


@pytest.mark.parametrize("write", [dict, json.dumps], ids=["mapping", "text"])
def test_parts_of_a_wrong_specification_are_read(write):
    raw = write({"compute": "gpu", "script": 5, "source_directory": "src", "max_total_runs": "x"})

    parts = readable_parts(raw, {"source_directory"})

    assert (parts.compute, parts.script, parts.source_directory) == ("gpu", None, ".")


@pytest.mark.parametrize("raw", ["a: [", "[]", [], {"type": "sweep", "compute": "gpu"}])
def test_unclear_specification_has_no_parts(raw):
    assert readable_parts(raw, set()) is None
