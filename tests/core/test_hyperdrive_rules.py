"""Every rule of Azure ML HyperDrive that holds here has a test: the table cannot rot."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
RULES = json.loads((TESTS / "golden" / "hyperdrive_rules.json").read_text("utf-8"))["rules"]
# What names a row of a golden file.
_NAMES = ("case", "id", "text", "raw", "name", "command")
# Rows of the source documents for each subject, as they were counted there.
LEAST = {
    "Parameter expressions": 21,
    "Consequences of the formulas": 7,
    "Errors of definitions": 11,
    "Counting a grid": 6,
    "Policies: signatures and checks": 11,
    "Policies: when they are applied": 14,
    "Bandit": 13,
    "Median stopping": 7,
    "Truncation selection": 14,
    "No policy": 1,
    "Budgets": 14,
    "Warm start": 9,
    "Results": 13,
    "Where the sources disagree": 18,
}


@cache
def test_names(file: str) -> frozenset[str]:
    """Return the test functions of a module."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


test_names.__test__ = False  # type: ignore[attr-defined]


@cache
def golden_names(file: str) -> frozenset[str]:
    """Return what the rows of a golden file are called."""
    return frozenset(_names_in(json.loads((TESTS / file).read_text("utf-8"))))


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (value[key] for key in _NAMES if isinstance(value.get(key), str))
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _names_in(item)


def is_there(proof: str) -> bool:
    file, mark, name = proof.partition("::")
    if mark:
        return (TESTS / file).is_file() and name in test_names(file)
    file, _, name = proof.partition("#")
    return (TESTS / file).is_file() and name in golden_names(file)


@pytest.mark.parametrize("subject", RULES)
def test_every_rule_names_tests_that_are_there(subject):
    missing = {
        rule: lost
        for rule, proofs in RULES[subject].items()
        if not proofs or (lost := [proof for proof in proofs if not is_there(proof)])
    }

    assert missing == {}


def test_no_subject_and_no_rule_got_lost():
    assert {subject: len(rules) for subject, rules in RULES.items()} == LEAST


@pytest.mark.parametrize(
    "proof",
    [
        "core/test_space.py::test_nothing_of_this_name",
        "core/test_nowhere.py::test_x",
        "golden/policies.json#B99",
    ],
)
def test_missing_proof_is_noticed(proof):
    assert not is_there(proof)
