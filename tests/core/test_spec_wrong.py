"""Wrong specifications: the exact problems of tests/golden/wrong_specs.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.problems import ProblemsError
from experiments.samplers import load_sampler
from experiments.samplers.random_search import RandomSearch
from experiments.spec import SweepSpec

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "wrong_specs.json").read_text("utf-8"))
VALID = {
    "script": "train.py",
    "search_space": {"lr": "uniform(0, 1)"},
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 10,
}


def problems_of(raw):
    with pytest.raises(ProblemsError) as caught:
        SweepSpec.parse(raw)
    return [[p.path, p.message] for p in caught.value.problems]


def test_specification_without_changes_is_valid():
    assert SweepSpec.parse(VALID).warnings() == []


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: json.dumps(case["changes"]))
def test_wrong_specification_has_exactly_these_problems(case):
    assert problems_of({**VALID, **case["changes"]}) == case["problems"]


def test_all_wrong_parts_together_have_all_their_problems():
    # Of cases that are about the same field, the last one counts.
    single = {next(iter(c["changes"])): c for c in GOLDEN["cases"] if len(c["changes"]) == 1}
    together = {field: value for c in single.values() for field, value in c["changes"].items()}
    expected = [problem for c in single.values() for problem in c["problems"]]

    found = problems_of({**VALID, **together})

    # Script and command are wrong together in another way, and a space that is wrong has no fit.
    apart = ("script", "command", "search_space")
    assert [p for p in expected if p not in found and not p[0].startswith(apart)] == []


def test_text_too_long_is_shown_in_part():
    [[path, message]] = problems_of({**VALID, "name": "x" * 300})

    assert path == "name"
    assert len(message) < 130


def test_policy_is_refused_where_the_sampler_needs_whole_runs(monkeypatch):
    monkeypatch.setattr(RandomSearch, "allows_policy", False)

    found = problems_of({**VALID, "early_termination": "median_stopping"})

    assert load_sampler("random") is RandomSearch
    assert found == [
        [
            "early_termination",
            "Random sampling needs every run to end by itself; set early_termination to null.",
        ]
    ]


def test_numbers_and_names_that_cannot_be_written_are_refused():
    huge = 10**5000

    found = problems_of(
        {
            **VALID,
            "arguments": [1, huge],
            "tags": {None: 1, True: 2, "a": huge},
            "max_total_runs": huge,
        }
    )

    assert found == [
        [
            "arguments[1]",
            "The argument is a value too large to show; use text, a number or true / false.",
        ],
        [
            "max_total_runs",
            "max_total_runs is a value too large to show; use a whole number from 1 to 1000.",
        ],
        ["tags.None", "The name None is no text; put it in quotes."],
        ["tags.True", "The name True is no text; put it in quotes."],
        ["tags.a", "a is a value too large to show; use text or a number."],
    ]


def test_many_unknown_keys_are_counted_after_the_first_ones():
    found = problems_of({**VALID, **{f"key{n}": 1 for n in range(5000)}})

    assert len(found) == 21
    assert found[-1] == ["", "A sweep has none of 4980 further keys either."]


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "x" * 300_001},
        {"arguments": ["x"] * 300_001},
        {"search_space": {"x": ["choice", [list(range(300_001))]]}},
        {f"key{n}": n for n in range(60_000)},
    ],
    ids=["text", "list", "choice", "keys"],
)
def test_huge_specification_is_one_problem(changes):
    text = "The specification holds more than 300000 characters and values."

    assert problems_of({**VALID, **changes}) == [["", text]]


def test_lists_that_hold_themselves_are_one_problem():
    one, two = [], []
    one.append(one)
    two += [two, two]

    deep = problems_of({**VALID, "arguments": one})
    wide = problems_of({**VALID, "arguments": two})

    assert deep == [["", "The specification is nested more than 50 levels deep."]]
    assert wide == [["", "The specification holds more than 300000 characters and values."]]


def test_what_could_not_be_read_back_is_refused():
    size = 150_000 + len(json.dumps(SweepSpec.parse({**VALID, "arguments": [""]}).dump()))

    assert problems_of({**VALID, "arguments": ["x" * 150_000]}) == [
        ["", f"The specification takes {size} characters as JSON; at most 140000 are kept."]
    ]


@pytest.mark.parametrize(
    "sign", ["'", '"', "\\", "\n", "é", "\N{GRINNING FACE}", " ", "x", "\x07", ": "]
)
def test_the_longest_texts_survive_yaml(sign):
    size = len(json.dumps(sign)) - 2
    raw = {**VALID, "arguments": [sign * (138_000 // size)]}

    spec = SweepSpec.parse(raw)

    assert SweepSpec.parse(spec.dump_yaml()) == spec


def test_the_longest_choice_survives_yaml():
    spec = SweepSpec.parse({**VALID, "search_space": {"x": "choice(range(10000))"}})

    assert SweepSpec.parse(spec.dump_yaml()) == spec
    assert spec.space.cardinality() == 10_000


def test_variable_too_long_for_a_process_is_refused():
    assert problems_of({**VALID, "environment": {"A": "x" * 100_001}}) == [
        ["environment.A", "The value has 100001 characters; use at most 100000."]
    ]


def test_base_that_no_number_can_hold_is_a_problem_of_its_hyperparameter():
    found = problems_of(
        {
            **VALID,
            "search_space": {"lr": "loguniform(-1, 400)"},
            "sampling": {"type": "random", "logbase": 10},
        }
    )

    assert [path for path, _ in found] == ["search_space.lr.max_value"]
    assert "e^921.034" in found[0][1]
