"""From a specification to the words of a command line: formats, splitting, what is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.problems import Problem
from experiments.spec import SweepSpec
from experiments.spec_command import (
    check_command,
    command_words,
    environment_of,
    fill_words,
    format_value,
    pair_words,
    script_words,
    split_command,
    used_names,
)
from tests.space_strategies import options, words

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "commands.json").read_text("utf-8"))
PARAMS = {"learning_rate": 0.1, "opt": "sgd", "odd": GOLDEN["odd"], "--units": [8, 16]}
INPUTS = {"inputs.n": "5", "inputs.text": "it's $5"}
CALM = settings(max_examples=100)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (16, "16"),
        (-3, "-3"),
        (2**53, "9007199254740992"),
        (0.1, "0.1"),
        (0.15, "0.15"),
        (16.0, "16.0"),
        (1e-05, "1e-05"),
        (1e16, "1e+16"),
        (2 / 3, "0.6666666666666666"),
        (-0.0, "-0.0"),
        (math.exp(-6), "0.0024787521766663585"),
        (True, "True"),
        (False, "False"),
        (None, "None"),
        ("", ""),
        (" a 'b' ", " a 'b' "),
        ("é", "é"),
        ([], "[]"),
        ([1, 2.5, "é", None, True], '[1, 2.5, "é", null, true]'),
        ((1, 2), "[1, 2]"),
        ({"a": [1], "b": {"c": None}}, '{"a": [1], "b": {"c": null}}'),
    ],
)
def test_value_is_written_as_scripts_expect_it(value, text):
    assert format_value(value) == text


def test_script_gets_fixed_arguments_then_one_pair_for_each_value():
    argv = script_words("t.py", ["--epochs", "20"], {"lr": 0.1, "--units": [8, 16]}, "PY")

    assert argv == ["PY", "t.py", "--epochs", "20", "--lr", "0.1", "--units", "[8, 16]"]


@pytest.mark.parametrize(
    ("name", "option", "variable"),
    [
        ("learning_rate", "--learning_rate", "AZUREML_SWEEP_learning_rate"),
        ("--batch-size", "--batch-size", "AZUREML_SWEEP_batch_size"),
        ("batch-size", "--batch-size", "AZUREML_SWEEP_batch_size"),
        ("C", "--C", "AZUREML_SWEEP_C"),
        ("opt.lr", "--opt.lr", "AZUREML_SWEEP_opt.lr"),
        ("größe", "--größe", "AZUREML_SWEEP_größe"),
    ],
)
def test_name_becomes_an_option_and_a_variable(name, option, variable):
    assert pair_words([], {name: 1}) == [option, "1"]
    assert environment_of({name: 1.5}) == {variable: "1.5"}


@pytest.mark.parametrize(("command", "expected"), GOLDEN["words"])
def test_command_is_split_and_filled(command, expected):
    assert check_command(command, list(PARAMS)) == []
    assert command_words(command, PARAMS, "PY") == expected


@pytest.mark.parametrize(("command", "messages"), GOLDEN["refused"])
def test_command_is_refused_with_every_problem(command, messages):
    assert check_command(command, list(PARAMS)) == [Problem("command", text) for text in messages]


def test_names_are_not_judged_where_the_space_is_wrong():
    assert check_command("python t.py ${{search_space.anything}}", None) == []


@pytest.mark.parametrize(("command", "expected"), GOLDEN["filled"])
def test_command_is_filled_in_part_and_means_the_same(command, expected):
    filled = fill_words(command, INPUTS.get)

    assert filled == expected
    whole = [word.replace("${{inputs.n}}", "5") for word in split_command(command)]
    assert split_command(filled) == [w.replace("${{inputs.text}}", "it's $5") for w in whole]


def test_used_names_are_those_of_the_search_space():
    command = "x ${{search_space.a}} '${{ search_space.--b }}' ${{inputs.d}} ${{search_space.a}}"

    assert used_names(command) == ["a", "--b", "a"]


def test_quotes_in_a_name_do_not_split():
    assert command_words("x ${{search_space.it's}} y", {"it's": 1}, "PY") == ["x", "1", "y"]


def test_null_characters_do_not_disturb_the_splitting():
    assert split_command("x \x007\x00 ${{search_space.a}}") == ["x", "7", "${{search_space.a}}"]


@CALM
@given(value=options)
def test_any_value_stays_one_word(value):
    text = format_value(value)

    for command, expected in (
        ("x ${{search_space.v}} z", ["x", text, "z"]),
        ("x '${{search_space.v}}' z", ["x", text, "z"]),
        ("x --v=${{search_space.v}}z", ["x", f"--v={text}z"]),
    ):
        assert command_words(command, {"v": value}, "PY") == expected


@CALM
@given(value=words.filter(lambda text: "${{" not in text))
def test_any_text_filled_in_stays_one_word(value):
    command = "x --a ${{inputs.v}} --b=${{inputs.v}} ${{search_space.lr}}"

    filled = fill_words(command, {"inputs.v": value}.get)

    assert split_command(filled) == ["x", "--a", value, f"--b={value}", "${{search_space.lr}}"]


@CALM
@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_any_text_is_a_command_or_problems(before, after):
    command = f"{before} ${{{{search_space.lr}}}} {after}"

    problems = check_command(command, ["lr"])

    if not problems:
        assert "0.5" in "".join(command_words(command, {"lr": 0.5}, "PY"))
    assert all(p.path == "command" and p.message.endswith(".") for p in problems)


def test_a_process_reads_back_what_it_was_given():
    values = {
        "lr": 0.1 + 0.2,
        "n": 16,
        "text": " a 'b\" $c\n",
        "flag": True,
        "list": [1, {"k": None}],
    }
    program = "import json, sys; print(json.dumps(sys.argv[1:]))"

    out = subprocess.run(
        [sys.executable, "-c", program, *pair_words([], values)],
        capture_output=True,
        check=True,
        text=True,
    ).stdout

    found = dict(zip(*[iter(json.loads(out))] * 2, strict=True))
    assert float(found["--lr"]) == values["lr"]
    assert int(found["--n"]) == values["n"]
    assert found["--text"] == values["text"]
    assert found["--flag"] == "True"
    assert json.loads(found["--list"]) == values["list"]


def test_command_of_a_specification_goes_without_script_and_arguments():
    spec = SweepSpec.parse(
        {
            "command": "python a.py ${{search_space.lr}}",
            "search_space": {"lr": "uniform(0, 1)"},
            "primary_metric": {"name": "loss", "goal": "minimize"},
            "max_total_runs": 3,
        }
    )

    assert spec.argv({"lr": 0.5}, "/py") == ["/py", "a.py", "0.5"]
    assert spec.environment_for({"lr": 0.5}) == {"AZUREML_SWEEP_lr": "0.5"}
