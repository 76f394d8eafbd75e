"""The filter language of runs: what it takes, and the sentence about what it does not."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.problems import ProblemsError
from experiments.run_columns import Columns, Names
from experiments.run_filter import parse_filter
from experiments.run_filter_terms import quote, split_terms, unquote

COLUMNS = Columns(
    Names(
        metric="accuracy",
        goal="maximize",
        params=["learning_rate", "batch_size", "--warmup", "number", "optimizer"],
        metrics=["accuracy", "loss", "val/acc top 1"],
        tags=["team"],
        properties=["sha"],
    )
)


def read(text):
    return [
        (c.column.key if c.column else "", c.test, c.values, c.is_negated)
        for c in parse_filter(text, COLUMNS)
    ]


def complaints(text):
    with pytest.raises(ProblemsError) as caught:
        parse_filter(text, COLUMNS)
    assert {problem.path for problem in caught.value.problems} == {"filter"}
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("learning_rate<0.01", [("learning_rate", "<", (0.01,), False)]),
        ("lr >= 1e-3", [("learning_rate", ">=", (0.001,), False)]),
        ("LEARNING_RATE:.5", [("learning_rate", "has", (".5",), False)]),
        ("--warmup<3", [("--warmup", "<", (3.0,), False)]),
        ("---warmup<3 -warmup>9", [("--warmup", "<", (3.0,), True),
                                    ("--warmup", ">", (9.0,), True)]),
        ("number:10..20", [("number", "between", (10.0, 20.0), False)]),
        ("number:10.. best:..0.9", [("number", "between", (10.0, None), False),
                                     ("best", "between", (None, 0.9), False)]),
        ("params.number=3", [("params.number", "is", ("3",), False)]),
        ("run:1,2,5", [("number", "is", (1.0, 2.0, 5.0), False)]),
        ("status:failed,Stopped-Early", [("state", "is", ("failed", "stoppedearly"), False)]),
        ("accuracy>0.9 metric:none", [("best", ">", (0.9,), False), ("best", "none", (), False)]),
        ("loss.max:nan loss:any", [("loss.max", "nan", (), False), ("loss", "any", (), False)]),
        ('"val/acc top 1">0.5', [("val/acc top 1", ">", (0.5,), False)]),
        ("tag:draft,old -tag:team=vision", [("tags", "is", ("draft", "old"), False),
                                             ("tags", "is", ("team=vision",), True)]),
        ("tags.nobody:x properties.sha=ab", [("tags.nobody", "has", ("x",), False),
                                              ("properties.sha", "is", ("ab",), False)]),
        ("batch_size!=32", [("batch_size", "is", ("32",), True)]),
        ("-batch_size!=32", [("batch_size", "is", ("32",), False)]),
        ('reason:"out of \\"memory\\""', [("reason", "has", ('out of "memory"',), False)]),
        ("duration>1h30m", [("duration", ">", (timedelta(minutes=90),), False)]),
        ("duration>10min", [("duration", ">", (timedelta(minutes=10),), False)]),
        ("duration<90sec", [("duration", "<", (timedelta(seconds=90),), False)]),
        ("outputs>1.5GB", [("outputs", ">", (1.5e9,), False)]),
        ("origin:Hand", [("origin", "is", ("hand",), False)]),
        ('NOT memory AND "or" - x', [("", "has", ("memory",), True), ("", "has", ("or",), False),
                                      ("", "has", ("-",), False), ("", "has", ("x",), False)]),
    ],
)  # fmt: skip
def test_filter_is_read(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("status:foo", ["'status:foo'", "'foo' is not a state", "stopped_early"]),
        ("learning_rate<abc", ["'abc' is not a number", "1e-4"]),
        ("lerning_rate<1", ["no column 'lerning_rate'", "Did you mean learning_rate?"]),
        ("zzz<1", ["no column 'zzz'", "There are learning_rate, batch_size", "more"]),
        ("number:20..10", ["20 is above 10", "number:10..20"]),
        ("number:..", ["a range without ends"]),
        ("reason<3", ["reason is text", "'<' does not fit"]),
        ("tags.team>1", ["tags.team is text"]),
        ("duration>soon", ["'soon' is not a duration", "90s"]),
        ("created:2026-13-01", ["'2026-13-01' is not a time", "yesterday"]),
        ("outputs>big", ["'big' is not a size", "20MB"]),
        ("origin:moon", ["'moon' is not a value of origin", "sampler"]),
        ("loss:", ["no value after ':'"]),
        ("<3", ["names no column before '<'"]),
        ("number:1,,2", ["empty value"]),
        ("a or b", ["'or' is not known", "commas"]),
        ('a "b c', ["The quote before 'b c' is not closed"]),
        ('""', ["looks for nothing"]),
        ("x" * 1001, ["1001 characters", "at most 1000"]),
        (" ".join("x" * 51), ["51 conditions", "at most 50"]),
        ("a\0b", ["null character"]),
        ("number:nan", ["'nan' is not a number"]),
        ("curve:1", ["no column 'curve'"]),
    ],
)
def test_wrong_filter_names_part_value_and_what_is_allowed(text, parts):
    (message,) = complaints(text)

    assert [part for part in parts if part not in message] == []


def test_every_wrong_part_is_named_at_once():
    assert len(complaints("status:foo number:x learning_rate<0.1 nope=1")) == 3


def test_times_are_days_moments_and_spans_back():
    now = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    text = "created:today ended:yesterday started>2026-11-20T14:30 created>-2h created<2026-11-19"
    moments = [condition.values[0] for condition in parse_filter(text, COLUMNS)]

    assert [moment.resolve(now).isoformat() for moment in moments] == [
        "2026-11-20T00:00:00+00:00",
        "2026-11-19T00:00:00+00:00",
        "2026-11-20T14:30:00+00:00",
        "2026-11-20T13:30:00+00:00",
        "2026-11-19T00:00:00+00:00",
    ]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80))
def test_any_text_is_read_or_refused(text):
    with suppress(ProblemsError):
        for condition in parse_filter(text, COLUMNS):
            assert condition.text in text
            assert condition.values or condition.test in ("none", "any", "nan")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40))
def test_quoted_text_is_one_word_again(text):
    (term,) = split_terms(f"reason:{quote(text)}")

    assert (term.name, unquote(term.value)) == ("reason", text)


def test_columns_are_chosen_in_order_and_unknown_ones_passed_over():
    chosen = COLUMNS.chosen(["number", "loss", "gone", "tags.team", "loss", "params.number"])

    assert [column.key for column in chosen] == ["number", "loss", "tags.team", "params.number"]
    assert [column.key for column in COLUMNS.usual()][:6] == [
        "number", "state", "best", "curve", "learning_rate", "batch_size",
    ]  # fmt: skip
