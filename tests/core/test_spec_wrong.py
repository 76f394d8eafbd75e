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
