"""Texts of form fields and their values: nothing is lost on the way there and back."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.forms import codecs

plain_numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | plain_numbers | st.text()
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(plain_numbers)
def test_number_survives_its_field(value):
    again = codecs.parse_number(codecs.format_number(value))

    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("  ", None),
        ("7", 7),
        ("-6", -6),
        ("1e-5", 1e-5),
        (".5", 0.5),
        ("2.", 2.0),
        (" 0.10 ", 0.1),
        ("1,5", "1,5"),
        ("ten", "ten"),
        ("nan", "nan"),
        ("0x10", "0x10"),
    ],
)
def test_number_field_keeps_what_is_no_number_as_text(text, value):
    assert codecs.parse_number(text) == value


@given(st.lists(json_values, max_size=5))
def test_values_survive_their_field(values):
    assert codecs.parse_values(codecs.format_values(values)) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("16, 32,64", [16, 32, 64]),
        ("sgd, adam w, rmsprop", ["sgd", "adam w", "rmsprop"]),
        ('"16", 16, 1.0', ["16", 16, 1.0]),
        ("[1, 2], [3, 4]", [[1, 2], [3, 4]]),
        ('{"a": [1, "x,y"]}, b', [{"a": [1, "x,y"]}, "b"]),
        ("True, false, None, null", [True, False, None, None]),
        ("range(1, 5)", [1, 2, 3, 4]),
        ("range(0, 10, 5)", [0, 5]),
        ("range(3)", [0, 1, 2]),
        ("range(a)", ["range(a)"]),
        ("range(1, 9, 0)", ["range(1, 9, 0)"]),
        ("range(1000000000)", ["range(1000000000)"]),
        ("'a, b', c", ["a, b", "c"]),
        ("don't, x", ["don't", "x"]),
        ("a,, ,b", ["a", "b"]),
        ("a\nb", ["a", "b"]),
        ("", []),
        ("[1, 2", ["[1, 2"]),
    ],
)
def test_values_are_read_as_people_write_them(text, values):
    assert codecs.parse_values(text) == values


@pytest.mark.parametrize(
    ("text", "parts"),
    json.loads((Path(__file__).parents[1] / "golden" / "values.json").read_text("utf-8")),
)
def test_values_are_split_as_in_the_browser(text, parts):
    assert codecs.split_values(text) == parts


def test_plain_words_stand_without_quotes():
    assert codecs.format_values(["adam", "1", "true", 3, 0.1]) == 'adam, "1", "true", 3, 0.1'


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), max_size=5))
def test_arguments_survive_their_field(words):
    assert codecs.parse_words(codecs.format_words(words)) == words


def test_arguments_with_an_open_quote_stay_one_word():
    assert codecs.parse_words("--name 'x") == ["--name 'x"]


@given(
    st.dictionaries(
        st.one_of(
            st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
        max_size=4,
    )
)
def test_pairs_survive_their_lines(pairs):
    assert codecs.parse_pairs(codecs.format_pairs(pairs)) == pairs


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("A=1\n\n B = two words \n", {"A": "1", "B": "two words"}),
        ("URL=a=b", {"URL": "a=b"}),
        ("EMPTY", {"EMPTY": ""}),
        ('Q="a\\nb"', {"Q": "a\nb"}),
        ('Q="open', {"Q": '"open'}),
        ('"a=b" = c', {"a=b": "c"}),
        ('"open=c', {'"open': "c"}),
    ],
)
def test_pairs_are_read_line_by_line(text, pairs):
    assert codecs.parse_pairs(text) == pairs


def test_infinite_number_is_written_so_that_the_specification_can_refuse_it():
    assert codecs.format_number(math.inf) == "Infinity"
