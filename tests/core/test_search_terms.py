"""A search in parts: words, places, conditions; where words stand; specifications compared."""

import pytest

from experiments.problems import ProblemsError
from experiments.search_terms import Place, SearchTerms, read_search
from experiments.spec_differences import compare_specs
from experiments.text_marks import mark_words, snippet


@pytest.mark.parametrize(
    ("text", "words", "conditions"),
    [
        ("resnet  baseline", ("resnet", "baseline"), ""),
        ('"two words" x', ("two words", "x"), ""),
        (
            "resnet learning_rate<0.01 status:failed",
            ("resnet",),
            "learning_rate<0.01 status:failed",
        ),
        ("run 12", (), "number=12"),
        ("#7 digits", ("digits",), "number=7"),
        ("-tag:draft NOT status:failed", (), "-tag:draft -status:failed"),
        ("NOT -tag:draft", (), "tag:draft"),
        ("--lr<3", (), "--lr<3"),
        ("metric>0.9", (), "metric>0.9"),
        ("", (), ""),
    ],
)
def test_search_falls_into_words_and_conditions(text, words, conditions):
    assert read_search(text) == SearchTerms(words, (), conditions)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("owner:ana", Place("owner", ("ana",), is_exact=False, is_negated=False)),
        ("Experiment=a,b", Place("experiment", ("a", "b"), is_exact=True, is_negated=False)),
        ('-sweep:"x y"', Place("sweep", ("x y",), is_exact=False, is_negated=True)),
        ("workspace!=team", Place("workspace", ("team",), is_exact=True, is_negated=True)),
        ("metric:accuracy", Place("metric", ("accuracy",), is_exact=False, is_negated=False)),
    ],
)
def test_search_knows_places(text, place):
    assert read_search(text) == SearchTerms((), (place,), "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x" * 301, "301 characters; use at most 300"),
        ('"open', "is not closed"),
        ("owner:", "'owner:' has no value"),
    ],
)
def test_search_that_cannot_be_read_is_refused(text, told):
    with pytest.raises(ProblemsError, match=told):
        read_search(text)


def test_words_are_marked_whatever_their_case():
    assert mark_words("Run of <b>RESNET</b>", ["resnet", "run"]) == [
        ("Run", True),
        (" of <b>", False),
        ("RESNET", True),
        ("</b>", False),
    ]
    assert mark_words("a.b", ["."]) == [("a", False), (".", True), ("b", False)]
    assert mark_words("text", []) == [("text", False)]


def test_snippet_is_the_part_around_the_first_word():
    text = "start " * 40 + "needle " + "end " * 40

    found = snippet(text, ["needle"])

    assert "needle" in found
    assert found.startswith("…")
    assert found.endswith("…")
    assert len(found) <= 122
    assert snippet(text, ["absent"]) == ""


def test_specifications_are_compared_setting_by_setting():
    first = {
        "name": "a",
        "search_space": {"lr": "uniform(0, 1)"},
        "sampling": "random",
        "early_termination": None,
        "max_total_runs": 4,
        "arguments": ["--epochs", "3"],
        "tags": {},
    }
    second = {
        **first,
        "name": "b",
        "search_space": {"lr": "uniform(0, 1)", "layers": "choice(1, 2)"},
        "sampling": {"type": "grid"},
        "early_termination": {"type": "bandit", "slack_factor": 0.1},
        "tags": {"team": "vision"},
    }

    rows = {row.key: row for row in compare_specs([first, second])}

    assert "name" not in rows
    assert rows["search_space.lr"].is_same
    assert rows["search_space.layers"].cells == ("", "choice(1, 2)")
    assert rows["sampling.type"].cells == ("random", "grid")
    assert rows["early_termination.type"].cells == ("none", "bandit")
    assert rows["early_termination.slack_factor"].cells == ("", "0.1")
    assert rows["arguments"].cells == ("--epochs 3",) * 2
    assert rows["tags.team"].heading == "Names"
