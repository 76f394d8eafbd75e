"""Commands: words, placeholders, the interpreter, and what only a shell could do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.spec import SweepSpec
from experiments.spec_command import (
    check_command,
    command_words,
    fill_words,
    format_value,
    split_command,
    used_names,
)

PARAMS = {"lr": 0.1, "opt": "a b; rm -rf /", "--units": [8, 16]}
NAMES = list(PARAMS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (16, "16"),
        (-3, "-3"),
        (0.1, "0.1"),
        (1e-05, "1e-05"),
        (1 / 3, "0.3333333333333333"),
        (16.0, "16.0"),
        (True, "True"),
        (False, "False"),
        (None, "None"),
        ("as it is", "as it is"),
        ("", ""),
        ([1, "a", None], '[1, "a", null]'),
        ({"k": True, "ü": 0.5}, '{"k": true, "ü": 0.5}'),
    ],
)
def test_values_are_written_as_scripts_read_them(value, text):
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python a.py --lr ${{search_space.lr}}", ["PY", "a.py", "--lr", "0.1"]),
        ("python3 a.py --lr=${{ search_space.lr }}", ["PY", "a.py", "--lr=0.1"]),
        ("./run.sh '${{search_space.lr}}'", ["./run.sh", "0.1"]),
        ('python -m pkg "x ${{search_space.lr}} y"', ["PY", "-m", "pkg", "x 0.1 y"]),
        ("python a.py ${{search_space.opt}}", ["PY", "a.py", "a b; rm -rf /"]),
        ("python a.py --u ${{search_space.--units}}", ["PY", "a.py", "--u", "[8, 16]"]),
        ("python a.py \\\n  --lr \\\n  ${{search_space.lr}}\n", ["PY", "a.py", "--lr", "0.1"]),
        ("python python ${{search_space.lr}}", ["PY", "python", "0.1"]),
        ("/usr/bin/python a.py ${{search_space.lr}}", ["/usr/bin/python", "a.py", "0.1"]),
        (
            "python a.py 'a;b' \"c|d\" e\\&f ${{search_space.lr}}",
            ["PY", "a.py", "a;b", "c|d", "e&f", "0.1"],
        ),
        ("python a.py '$HOME' ${{search_space.lr}} 5$", ["PY", "a.py", "$HOME", "0.1", "5$"]),
    ],
)
def test_command_becomes_words_and_values_stay_one_word(command, words):
    assert check_command(command, NAMES) == []
    assert command_words(command, PARAMS, "PY") == words


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "command is empty; write what is to be run."),
        ("  \n ", "command is empty; write what is to be run."),
        ("python a.py 'x ${{search_space.lr}}", "no closing quotation."),
        ("python a.py", "uses no hyperparameter, so every run would be the same"),
        ("python a.py {search_space.lr}", "uses no hyperparameter"),
        ("python a.py ${{search_space.nope}}", 'command uses "nope", which search_space lacks'),
        ("python a.py ${{inputs.lr}}", "command has ${{inputs.lr}}; only ${{search_space.<name>}}"),
        ("cd x && python a.py ${{search_space.lr}}", "command has &&, but no shell runs it"),
        ("python a.py ${{search_space.lr}} | tee log", "command has |, but no shell runs it"),
        ("python a.py ${{search_space.lr}} > log 2>&1", "command has >, &, but no shell"),
        ("python a.py ${{search_space.lr}}; true", "command has ;, but no shell runs it"),
        ("pip install x\npython a.py ${{search_space.lr}}", "command has a line break, but no"),
        ("python a.py $HOME/x ${{search_space.lr}}", "command has $H, but no shell runs it"),
        ('python a.py "${HOME}" ${{search_space.lr}}', "command has ${, but no shell runs it"),
        ("python a.py `date` ${{search_space.lr}}", "command has `, but no shell runs it"),
        ('python a.py "$(date)" ${{search_space.lr}}', "command has $(, but no shell runs it"),
        ("OMP_NUM_THREADS=1 python a.py ${{search_space.lr}}", "set variables in environment"),
    ],
)
def test_command_that_cannot_work_is_a_problem(command, message):
    problems = check_command(command, NAMES)

    assert [p.path for p in problems] == ["command"]
    assert message in problems[0].message


def test_every_problem_of_a_command_is_reported():
    problems = check_command("A=1 x ${{search_space.q}} ${{y}} && z", NAMES)

    assert len(problems) == 4


def test_placeholders_are_not_judged_where_the_space_is_wrong():
    assert check_command("python a.py ${{search_space.nope}}", None) == []


def test_names_of_a_command():
    command = "a ${{search_space.x}} '${{ search_space.--y }}' ${{inputs.z}}"

    assert used_names(command) == ["x", "--y"]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
def test_any_value_stays_one_word_when_it_is_filled_in(value):
    filled = fill_words(
        "run --a ${{inputs.x}} --b=${{inputs.x}} ${{search_space.lr}}",
        lambda inner: value if inner == "inputs.x" else None,
    )

    assert split_command(filled) == ["run", "--a", value, f"--b={value}", "${{search_space.lr}}"]


def test_command_goes_without_arguments_and_script():
    raw = {
        "command": "python a.py ${{search_space.lr}}",
        "search_space": {"lr": "uniform(0, 1)"},
        "primary_metric": {"name": "loss", "goal": "minimize"},
        "max_total_runs": 3,
    }

    spec = SweepSpec.parse(raw)

    assert spec.argv({"lr": 0.5}, "/py") == ["/py", "a.py", "0.5"]
    assert spec.environment_for({"lr": 0.5}) == {"AZUREML_SWEEP_lr": "0.5"}
