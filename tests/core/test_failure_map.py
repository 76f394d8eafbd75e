"""Failures grouped by what they say, and the regions of the search space where they happen."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from experiments.failure_lines import failure_line
from experiments.failure_map import Ended, Region, failure_groups, is_inside
from experiments.space.cutting import without_range, without_value
from experiments.space.parsing import parse_expression
from experiments.space.space import SearchSpace

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "failure_lines.json").read_text())
SPACE = SearchSpace.parse(
    {
        "batch_size": "choice(64, 128, 256, 512)",
        "lr": "loguniform(-9, 0)",
        "optimizer": {"type": "choice", "values": ["sgd", "adam"]},
        "seed": "choice(7)",
    }
).expressions
BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OOM = "Exit code 1: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {}.00 GiB."


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["pattern"][:48])
def test_sentences_of_one_failure_have_one_pattern(case):
    assert {failure_line(text).text for text in case["sentences"]} == {case["pattern"]}


def test_patterns_of_different_failures_differ():
    assert len({case["pattern"] for case in GOLDEN}) == len(GOLDEN)


def test_longest_part_that_all_share_comes_first():
    line = failure_line("Exit code 1: ValueError: step 3 of 5 diverged at lr=0.5")

    assert line.how == "Exit code 1"
    assert line.literals[0] == "ValueError: step"


def ended(number, reason="", *, end_reason="nonzero_exit", **params):
    usual = {"batch_size": 64, "lr": 0.001, "optimizer": "sgd", "seed": 7}
    return Ended(
        number=number,
        params={**usual, **params},
        is_failed=bool(reason),
        end_reason=end_reason if reason else "finished",
        reason=reason,
        ended=BEGIN + timedelta(minutes=number),
    )


def sizes(number):
    return (64, 128, 256)[number % 3]


def test_value_with_most_failures_is_told_with_its_counts():
    failed = [ended(n, OOM.format(n), batch_size=512) for n in range(8)]
    failed.append(ended(8, OOM.format(9), batch_size=64))
    fine = [ended(9, batch_size=512)] + [ended(n, batch_size=sizes(n)) for n in range(10, 49)]

    (group,) = failure_groups([*fine, *failed], SPACE)

    (finding,) = group.findings
    assert group.line.text == OOM.format("…").replace("….00 GiB.", "….")
    assert (group.count, group.example_number, group.example) == (9, 8, OOM.format(9))
    assert (group.first, group.last) == (BEGIN, BEGIN + timedelta(minutes=8))
    assert finding.region == Region("batch_size", "is", 512)
    assert (finding.failed, finding.inside) == (8, 9)
    assert (finding.others, finding.outside) == (1, 40)
    assert finding.is_avoidable
    assert finding.by == "Fisher"
    # Fisher's exact test by hand, times the comparisons: four values, two inner ones both ways.
    tables = math.comb(9, 8) * math.comb(40, 1) + 1
    assert finding.p == pytest.approx(8 * tables / math.comb(49, 9))


def test_range_with_most_failures_is_told():
    rng = np.random.default_rng(3)
    failed = [ended(n, "Exit code 1: ValueError: nan", lr=0.2 + n / 50) for n in range(10)]
    fine = [ended(n, lr=float(10 ** rng.uniform(-4, -0.9))) for n in range(10, 60)]

    (group,) = failure_groups([*failed, *fine], SPACE)

    (finding,) = group.findings
    assert finding.region == Region("lr", "from", 0.2)
    assert (finding.failed, finding.inside, finding.others) == (10, 10, 0)
    assert finding.by == "Mann-Whitney"
    assert finding.p < 1e-4


def test_range_of_an_ordered_choice_is_told_as_one():
    failed = [ended(n, OOM.format(1), batch_size=(256, 512)[n % 2]) for n in range(12)]
    fine = [ended(n, batch_size=(64, 128)[n % 2]) for n in range(12, 40)]

    (group,) = failure_groups([*failed, *fine], SPACE)

    assert group.findings[0].region == Region("batch_size", "from", 256)


def test_chance_is_told_as_nothing():
    rng = np.random.default_rng(5)
    runs = [
        ended(
            n,
            "Exit code 1: OSError: busy" if n % 6 == 0 else "",
            batch_size=int(rng.choice([64, 128, 256, 512])),
            lr=float(10 ** rng.uniform(-4, 0)),
            optimizer=str(rng.choice(["sgd", "adam"])),
        )
        for n in range(90)
    ]

    (group,) = failure_groups(runs, SPACE)

    assert group.findings == ()
    assert group.note == "No value or range of a parameter stands out among these runs."


def test_few_runs_and_lost_ones_are_not_related_to_parameters():
    fine = [ended(n, batch_size=64) for n in range(20)]
    two = [ended(20 + n, OOM.format(1), batch_size=512) for n in range(2)]
    lost = [
        ended(30 + n, "Its worker is gone.", end_reason="worker_lost", batch_size=512)
        for n in range(9)
    ]

    by_count = failure_groups([*fine, *two, *lost], SPACE)

    assert [group.count for group in by_count] == [9, 2]
    assert [group.findings for group in by_count] == [(), ()]
    assert by_count[0].note == "The machine ended these runs, not their values."
    assert by_count[1].note.startswith("2 runs: too few")
    (only,) = failure_groups([*two, ended(9, OOM.format(3))], SPACE)
    assert only.note == ("No run has ended otherwise: too few to compare the parameters with.")


def test_no_failure_gives_no_group():
    assert failure_groups([ended(0), ended(1)], SPACE) == []


def test_region_knows_equal_numbers_and_other_types():
    assert is_inside(Region("x", "is", 512), 512.0)
    assert not is_inside(Region("x", "is", 512), "512")
    assert not is_inside(Region("x", "from", 3), "high")
    assert is_inside(Region("x", "is", {"a": [1]}), {"a": [1]})


@pytest.mark.parametrize(
    ("text", "cut", "expected"),
    [
        ("choice(64, 128, 512)", {"start": 128}, "choice(64)"),
        ("choice(64, 128, 512)", {"end": 64}, "choice(128, 512)"),
        ("choice(64, 128, 512)", {"end": 512}, None),
        ('choice("a", "b")', {"start": 1}, None),
        ("uniform(0, 1)", {"start": 0.25}, "uniform(0, 0.25)"),
        ("uniform(0, 1)", {"end": 0.25}, "uniform(0.25, 1)"),
        ("uniform(0, 1)", {"start": -2}, None),
        ("loguniform(-9, 0)", {"start": 0.1}, "loguniform(-9, -2.30259)"),
        ("loguniform(-9, 0)", {"end": 0}, None),
        ("quniform(10, 100, 10)", {"start": 60}, "quniform(10, 50, 10)"),
        ("randint(100)", {"start": 40}, "randint(40)"),
        ("randint(100)", {"end": 40}, None),
        ("normal(0, 1)", {"start": 1}, None),
    ],
)
def test_space_without_a_range(text, cut, expected):
    found = without_range(parse_expression(text, "x"), **cut)

    assert (found and found.to_text()) == expected


def test_choice_without_a_value_keeps_the_others():
    options = parse_expression({"type": "choice", "values": ["sgd", "adam", None]}, "x")

    assert without_value(options, "adam").arguments() == {"values": ["sgd", None]}
    assert without_value(options, "lion") is None
    assert without_value(parse_expression("choice(3)", "x"), 3) is None
    assert without_value(parse_expression("uniform(0, 1)", "x"), 0.5) is None
