"""Texts that a database cannot hold are found wherever they stand."""

from __future__ import annotations

import pytest

from experiments.storable import is_storable, unstorable_texts


@pytest.mark.parametrize("text", ["", "plain", "é€😀", "tab\tline\n", "\x01", "\uffff"])
def test_ordinary_text_is_storable(text: str) -> None:
    assert is_storable(text)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff"])
def test_null_and_half_characters_are_not(text: str) -> None:
    assert not is_storable(text)


def test_every_wrong_text_is_named_with_its_path() -> None:
    value = {"a": "ok", "b": ["x", "\0"], "c": {"d": "\ud800", "e\0": 1}, "f": 1.5, "g": None}

    problems = list(unstorable_texts(value))

    assert [problem.path for problem in problems] == ["b[1]", "c.d", "c.e\\x00"]
    assert all(is_storable(problem.message) for problem in problems)
