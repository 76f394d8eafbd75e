"""The tables of tests/golden/expressions.json: forms, refusals, values, texts."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from experiments.problems import ProblemsError
from experiments.space.literals import identity
from experiments.space.parsing import parse_expression
from experiments.space.quantised import multiple, nearest_multiple

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "expressions.json").read_text("utf-8"))


@pytest.mark.parametrize("row", GOLDEN["forms"], ids=lambda row: row["text"])
def test_expression_has_its_three_forms(row):
    expression = parse_expression(row["text"], "x")

    assert identity(expression.to_wire()) == identity(row["wire"])
    assert expression.to_text() == row.get("canonical", row["text"])
    assert expression.to_mapping() == row.get("mapping", expression.to_mapping())
    assert parse_expression(row["wire"], "x") == expression


@pytest.mark.parametrize("row", GOLDEN["refused"], ids=lambda row: json.dumps(row["raw"]))
def test_expression_is_refused_with_every_problem(row):
    with pytest.raises(ProblemsError) as caught:
        parse_expression(row["raw"], "search_space.x")

    found = {p.path.removeprefix("search_space.x"): p.message for p in caught.value.problems}
    assert found == row["problems"]
    assert len(found) == len(caught.value.problems)


@pytest.mark.parametrize("row", GOLDEN["values"], ids=lambda row: row["text"])
def test_expression_reaches_exactly_these_values(row):
    expression = parse_expression(row["text"], "x")
    drawn = {identity(expression.from_unit(n / 2000)): 1 for n in range(2001)}

    assert [identity(v) for v in expression.values()] == [identity(v) for v in row["values"]]
    assert set(drawn) == {identity(v) for v in row["values"]}
    assert expression.cardinality() == len(row["values"])


@pytest.mark.parametrize("row", GOLDEN["rounding"], ids=str)
def test_rounding_ties_go_to_the_even_multiple(row):
    value = multiple(nearest_multiple(row["x"], row["q"]), row["q"])

    assert identity(value) == identity(row["value"])


@pytest.mark.parametrize("row", GOLDEN["warned"], ids=lambda row: row["text"])
def test_what_is_hardly_meant_is_warned_about(row):
    assert parse_expression(row["text"], "x").warnings() == row["warnings"]


@pytest.mark.parametrize("row", GOLDEN["described"], ids=lambda row: row["text"])
def test_expression_is_described_in_real_units(row):
    assert parse_expression(row["text"], "x").describe() == row["says"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("loguniform(-3, -3)", math.exp(-3)), ("loguniform(2, 2)", math.exp(2))],
)
def test_equal_exponents_are_a_constant(text, value):
    assert parse_expression(text, "x").values() == [value]
