"""What a training script declares is read without running it, whatever the file is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.script_reader import MAX_BYTES, ScriptArgument, read_script
from experiments.script_rows import suggest_expression
from experiments.space.parsing import parse_expression

SCRIPT = """\
import argparse
import mlflow
from studio.sdk import Run

DECAYS = [0.0, 1e-4]
METRIC = "val_" + "accuracy"

def read():
    parser = argparse.ArgumentParser(description="train")
    group = parser.add_argument_group("optimizer")
    parser.add_argument("data", help="folder")
    group.add_argument("-l", "--learning-rate", "--lr", type=float, default=10 ** -3,
                       help="step " "size")
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--optimizer", choices=("sgd", "adam"), default="adam")
    parser.add_argument("--decay", type=float, choices=DECAYS)
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--nesterov", action=argparse.BooleanOptionalAction)
    parser.add_argument("--bn", type=str2bool, default=True)
    parser.add_argument("--layers", type=int, nargs="+")
    parser.add_argument("--out", default="outputs")
    return parser.parse_args()

run = Run.get_context()
run.log(METRIC, 0.5)
run.log("loss", 0.5, step=3)
run.log(name="kappa", value=1)
mlflow.log_metric("f1", 0.2)
mlflow.log_metrics({"precision": 1, "recall": 2})
run.log_row("confusion", a=1)
logger.log("INFO", "no metric %s")
logging.log(logging.INFO, "no metric")
math.log(3)
log("no metric", 2)
mlflow.log_param("no_metric", 2)
run.log(f"loss_{fold}", 0.5)
run.log("loss", 0.4)
"""


def facts(text):
    return read_script(text.encode())


def only(call):
    (argument,) = facts(f"parser.add_argument({call})").arguments
    return argument


def test_arguments_are_read_with_type_default_choices_and_help():
    found = {argument.name: argument for argument in facts(SCRIPT).arguments}

    assert list(found) == [
        "learning-rate", "batch_size", "optimizer", "decay", "amp", "nesterov", "bn", "layers",
        "out",
    ]  # fmt: skip
    assert found["learning-rate"] == ScriptArgument(
        options=("-l", "--learning-rate", "--lr"), type="float", default=0.001, help="step size"
    )
    assert found["batch_size"] == ScriptArgument(options=("--batch_size",), type="int", default=64)
    assert found["optimizer"].choices == ("sgd", "adam")
    assert found["decay"].choices == (0.0, 1e-4)
    assert (found["amp"].type, found["amp"].takes_one_value) == ("bool", False)
    assert found["nesterov"].takes_one_value is False
    assert (found["bn"].type, found["bn"].default) == ("", True)
    assert found["layers"].takes_one_value is False
    assert (found["out"].type, found["out"].default) == ("str", "outputs")


def test_metrics_are_read_once_in_their_order():
    assert facts(SCRIPT).metrics == (
        "val_accuracy", "loss", "kappa", "f1", "precision", "recall", "confusion",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lr", ""),
        ("--lr", ""),
        ("learning-rate", ""),
        ("learning", ""),  # argparse takes the beginning of an option
        ("l", "The script declares no argument --l; it has -l."),  # of three
        ("learning_rate", "The script declares no argument --learning_rate; it has "
         "--learning-rate."),
        ("momentum", "The script declares no argument --momentum."),
    ],
)  # fmt: skip
def test_parameter_that_no_argument_takes_is_said(name, message):
    assert facts(SCRIPT).undeclared(name) == message


@pytest.mark.parametrize(
    "line",
    [
        "args, rest = parser.parse_known_args()",
        "add_common(parser)",
        "add_common(to=parser)",
        "for name in names: parser.add_argument(name)",
        "parser.add_argument('--y', **more)",
        "child = argparse.ArgumentParser(parents=[other])",
        "parser = common.make_parser()",
    ],
)
def test_nothing_is_undeclared_where_arguments_may_be_unseen(line):
    text = f"parser.add_argument('--x')\n{line}\n"

    assert facts(text).undeclared("momentum") == ""
    assert facts("parser.add_argument('--x')\n").undeclared("momentum") != ""


def test_script_without_argparse_says_nothing_about_parameters():
    assert facts("import click\n").undeclared("lr") == ""


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"def f(:\n", "The script is not Python in line 1: invalid syntax."),
        (b"x = 1\n\0", "The script "),
        (b"#!/bin/sh\nif true; then echo; fi\n", "The script is not Python in line 2"),
        (b"x" * (MAX_BYTES + 1), "The script has 0.4 MB, too much to look for its arguments."),
        (b"(" * 50_000, "The script"),
        (b"-" * 200_000 + b"1", "The script cannot be read as Python."),
    ],
)
def test_what_cannot_be_read_is_a_problem(source, problem):
    found = read_script(source)

    assert found.problem.startswith(problem)
    assert (found.arguments, found.metrics, found.is_whole) == ((), (), False)


@pytest.mark.parametrize(
    "source",
    [
        "# café\nparser.add_argument('--x')".encode("latin-1"),
        "# -*- coding: latin-1 -*-\n# café\nparser.add_argument('--x')".encode("latin-1"),
        "\ufeffparser.add_argument('--x')".encode(),
        b"# coding: no-such-thing\nparser.add_argument('--x')",
        b"parser.add_argument('--x')\r\ns = '\\d'\r\n",
    ],
)
def test_other_encodings_are_read(source):
    assert [argument.name for argument in read_script(source).arguments] == ["x"]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_answered(source):
    found = read_script(source)

    assert found.problem == "" or found.arguments == ()


def test_names_of_names_take_no_time():
    lines = [f"A{n} = A{n + 1} + A{n + 1}" for n in range(15)]
    calls = [f"parser.add_argument('--x{n}', default=A0)" for n in range(200)]

    found = facts("\n".join([*lines, "A15 = 1", *calls]))

    assert len(found.arguments) < 200
    assert found.is_whole is False


def test_huge_numbers_are_no_defaults():
    assert only(f"'--x', default=0x{'f' * 5000}").default is None
    assert only("'--x', default=1e999").default is None
    assert only("'--x', default=10 ** 10 ** 10").default is None


@pytest.mark.parametrize(
    ("call", "expression"),
    [
        ("'--lr', type=float, default=1e-3", "loguniform(-9.21, -4.61)"),
        ("'--lr', default=0.01", "loguniform(-6.91, -2.3)"),
        ("'--momentum', type=float, default=0.9", "uniform(0.81, 0.99)"),
        ("'--dropout', type=float, default=0.5", "uniform(0.05, 0.95)"),
        ("'--decay', type=float, default=0", "uniform(0, 0.5)"),
        ("'--C', type=float, default=1.0", "loguniform(-2.3, 2.3)"),
        ("'--x', type=float, default=-2.0", "uniform(-4, 0)"),
        ("'--x', type=float", "uniform(0, 1)"),
        ("'--batch-size', type=int, default=64", "choice(16, 32, 64, 128, 256)"),
        ("'--epochs', type=int, default=20", "quniform(10, 40, 1)"),
        ("'--trees', type=int, default=300", "quniform(150, 600, 10)"),
        ("'--depth', type=int, default=3", "quniform(1, 6, 1)"),
        ("'--layers', type=int, default=1", "choice(1, 2, 3)"),
        ("'--n', type=int, default=-4", "quniform(-8, 0, 1)"),
        ("'--n', type=int", "quniform(1, 10, 1)"),
        ("'--seed', type=int, default=0", "randint(1000)"),
        ("'--opt', choices=['sgd', 'adam']", 'choice("sgd", "adam")'),
        ("'--n', type=int, choices=range(2, 5)", "choice(2, 3, 4)"),
        ("'--bn', type=str2bool, default=False", "choice(True, False)"),
        ("'--lr', type=float, default=DEFAULT", "uniform(0, 1)"),
        ("'--out', default='outputs'", None),
        ("'--amp', action='store_true'", None),
        ("'--amp', type=bool, default=True", None),
        ("'--units', type=int, nargs='+'", None),
        ("'-x', type=int", None),
        ("'--kernel', choices=[None, f()]", None),
        ("'--path', type=Path", None),
    ],
)
def test_expression_is_suggested_from_type_and_default(call, expression):
    suggested = suggest_expression(only(call))

    found = None if suggested is None else parse_expression(suggested, "x").to_text()
    assert found == expression


_NUMBERS = st.one_of(st.integers(-(10**13), 10**13), st.floats(allow_nan=False))


@settings(deadline=None, max_examples=100)
@given(_NUMBERS, st.sampled_from(["int", "float", "str", ""]))
def test_every_suggestion_is_a_valid_expression(default, kind):
    argument = ScriptArgument(options=("--x",), type=kind, default=default)

    suggested = suggest_expression(argument)

    assert suggested is None or parse_expression(suggested, "x").to_mapping()["type"]
