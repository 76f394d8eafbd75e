"""YAML as specifications are written in it: numbers, refusals with their place, the way back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.problems import Problem, ProblemsError
from experiments.spec_yaml import MAX_CHARACTERS, dump_yaml, load_yaml, read_mapping
from tests.space_strategies import options, words

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "spec_yaml.json").read_text("utf-8"))
CALM = settings(max_examples=100)


def problem_of(text):
    with pytest.raises(ProblemsError) as caught:
        read_mapping(text)
    [problem] = caught.value.problems
    return problem


@pytest.mark.parametrize(("text", "value"), GOLDEN["scalars"])
def test_scalar_is_read_as_yaml_1_2(text, value):
    read = load_yaml(f"a: {text}")["a"]

    assert (type(read), repr(read)) == (type(value), repr(value))


@pytest.mark.parametrize(
    ("text", "value"), [(".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf)]
)
def test_infinity_is_a_number(text, value):
    assert load_yaml(f"a: {text}") == {"a": value}


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_nan_is_a_number(text):
    assert math.isnan(load_yaml(f"a: {text}")["a"])


@pytest.mark.parametrize(("text", "where", "why"), GOLDEN["refused"])
def test_refusal_names_line_and_cause(text, where, why):
    assert problem_of(text) == Problem(where, f"This is not YAML: {why}.")


@pytest.mark.parametrize(("text", "where", "why"), GOLDEN["refused"])
def test_loader_raises_nothing_but_yaml_errors(text, where, why):
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)


def test_number_of_thousands_of_digits_is_refused_with_its_place():
    assert problem_of("a: 1\nb: " + "9" * 5000) == Problem(
        "line 2, column 4", "This is not YAML: the number has 5000 digits, which is too many."
    )


def test_json_number_of_thousands_of_digits_is_refused_too():
    assert problem_of('{"a": ' + "9" * 5000 + "}").path == "line 1, column 7"


@pytest.mark.parametrize("opening", ["[", "{a: ", '{"a":', "- "])
def test_deep_nesting_is_refused_before_the_stack_ends(opening):
    problem = problem_of(opening * 5000)

    assert problem.path.startswith("line 1, column ")
    assert problem.message == "This is not YAML: nested more than 60 levels deep."


def test_sixty_levels_are_read():
    value, depth = load_yaml("[" * 60 + "]" * 60), 0

    while value:
        [value], depth = value, depth + 1

    assert depth == 59


def test_long_text_is_refused_unread():
    text = f"This is not YAML: the text has {MAX_CHARACTERS + 1} characters; use at most 300000."

    assert problem_of("#" * (MAX_CHARACTERS + 1)) == Problem("", text)
    assert load_yaml("#" * MAX_CHARACTERS) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "empty"), ("# nothing", "empty"), ("[]", "[]"), ("train", '"train"'), ("5", "5")],
)
def test_document_that_is_no_mapping_is_one_problem(text, found):
    message = f"The specification is {found}; it must be a mapping of keys to values."

    assert problem_of(text) == Problem("", message)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 1.5, true, null, "x"]}',
        '{\n\t"a": [1, 1.5,\ttrue, null, "\\u0078"]\n}',
        "\ufeffa: [1, 1.5, true, null, x]",
        "a:\n- 1\n- 1.5\n- true\n-\n- x\n",
        "---\na: [1, 1.5, true, ~, x]\n...\n",
    ],
    ids=["json", "json-with-tabs", "byte-order-mark", "block", "document-marks"],
)
def test_json_and_every_style_of_yaml_are_the_same(text):
    assert read_mapping(text) == {"a": [1, 1.5, True, None, "x"]}


def test_json_surrogate_pairs_are_characters():
    assert read_mapping('{"a": "\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


def test_constants_that_are_not_json_are_words():
    assert read_mapping('{"a": NaN, "b": Infinity}') == {"a": "NaN", "b": "Infinity"}


def test_merge_keys_are_ordinary_words():
    assert read_mapping("<<: {a: 1}") == {"<<": {"a": 1}}


def test_output_keeps_the_order_and_writes_short_lists_in_a_line():
    value = {"z": 1, "a": ["x", 2.0], "nested": {"rows": [[1, 2], {"b": None}]}, "text": "one\ntwo"}

    assert dump_yaml(value) == (
        "z: 1\na: [x, 2.0]\nnested:\n  rows:\n    - [1, 2]\n    - b: null\ntext: |-\n  one\n  two\n"
    )


@pytest.mark.parametrize(
    "text",
    ["1e-5", "012", "0o17", "1_000", "yes", "No", "null", "~", "", "2026-01-02", "1:30", "=", "<<",
     ".inf", "- a", "a: b", "#x", "'", '"', "*x", "&x", "!x", "%x", "@x", "`x", " x ", "\n", "a\n",
     "\n\na", "a\n\n", "  a\nb", "a\n  b", "\t", "a\tb\nc", "\x85", "a\u2028b", "\x07", "\ufeff",
     "é", "\N{GRINNING FACE}", "\r\n", "a\rb", "a \nb", "---", "...", "?", "x: ", "[", "{}", ","],
)  # fmt: skip
def test_text_that_looks_like_something_else_stays_text(text):
    for value in ({"a": text}, {text: 1}, {"a": [text]}, {"a": [{"b": text}]}):
        assert load_yaml(dump_yaml(value)) == value


def test_the_same_list_twice_is_written_twice():
    shared = [1, 2]

    assert dump_yaml({"a": shared, "b": shared}) == "a: [1, 2]\nb: [1, 2]\n"


@CALM
@given(st.dictionaries(words, options, max_size=4))
def test_any_value_survives_yaml(value):
    assert repr(load_yaml(dump_yaml(value))) == repr(value)


@CALM
@given(st.dictionaries(words, options, max_size=4))
def test_any_value_survives_json(value):
    assert repr(load_yaml(json.dumps(value))) == repr(value)


@CALM
@given(st.text(max_size=60))
def test_any_text_is_a_mapping_or_one_problem(text):
    try:
        found = read_mapping(text)
    except ProblemsError as error:
        found = error.problems

    assert isinstance(found, dict) or len(found) == 1
