"""The search language of MLflow clients: what is understood, and what is said of the rest."""

from __future__ import annotations

import pytest

from experiments.mlflow_filter import FilterError, Order, Term, parse_order, parse_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("metrics.loss < 1e-3", [Term("metrics", "loss", "<", (0.001,))]),
        ("metric.val loss>=-.5", [Term("metrics", "val loss", ">=", (-0.5,))]),
        ('metrics."a b" = 1', [Term("metrics", "a b", "=", (1.0,))]),
        (
            "params.`learning rate` != 'it''s' and tags.team ILIKE '%red%'",
            [
                Term("params", "learning rate", "!=", ("it's",)),
                Term("tags", "team", "ILIKE", ("%red%",)),
            ],
        ),
        ("run_id IN ('a', 'b')", [Term("attributes", "run_id", "IN", ("a", "b"))]),
        (
            "attributes.status NOT IN ('FAILED')",
            [Term("attributes", "status", "NOT IN", ("FAILED",))],
        ),
        (
            "params.a IS NULL AND tags.mlflow.runName IS NOT NULL",
            [Term("params", "a", "NULL"), Term("tags", "mlflow.runName", "NOT NULL")],
        ),
        ("created > 1700000000000", [Term("attributes", "start_time", ">", (1.7e12,))]),
    ],
)
def test_filter_is_read(text, terms):
    assert parse_terms(text) == terms


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("metrics.a > 1 OR metrics.b > 1", "joined by AND alone"),
        ("metrics.a = 'x'", "compared with a number, not with 'x'"),
        ("params.a = 0.1", "compared with a text in quotes, not with 0.1"),
        ("params.a < '1'", "'<' does not fit it"),
        ("metrics.a LIKE '1'", "LIKE does not fit it"),
        ("color = 'red'", "there is no attribute 'color'"),
        ("dataset.name = 'x'", "'dataset' is not known"),
        ("metrics.a ~ 1", "cannot be read from '~ 1' on"),
        ("metrics.a >", "is no value"),
        ("run_id IN ()", "is no value"),
        ("metrics.a > 1 metrics.b > 1", "joined by AND alone"),
        ("x" * 7000, "7000 characters"),
    ],
)
def test_wrong_filter_names_the_part(text, part):
    with pytest.raises(FilterError) as caught:
        parse_terms(text)

    assert part in str(caught.value)


def test_order_is_read():
    assert parse_order("metrics.`val loss` DESC") == Order("metrics", "val loss", descending=True)
    assert parse_order("start_time") == Order("attributes", "start_time", descending=False)
    with pytest.raises(FilterError, match="is no order"):
        parse_order("metrics.a DESC, metrics.b")
