"""Rows of the new-sweep form: real values for logarithms, one-click changes, draws."""

from __future__ import annotations

import math
import shlex

import pytest

from experiments.forms.row_fixes import apply_row_fix, row_fixes
from experiments.forms.space_draws import draw_runs
from experiments.forms.space_preview import preview_space, space_of
from experiments.forms.sweep_fields import (
    SpaceRow,
    SweepFields,
    fields_from_raw,
    keep_scales,
    raw_from_fields,
)
from experiments.forms.sweep_problems import add_row_problems
from experiments.samplers.base import History
from experiments.samplers.sobol import Sobol
from experiments.spec import SweepSpec


def row(kind: str, name: str = "lr", **texts: str) -> SpaceRow:
    return SpaceRow(name=name, type=kind, texts=texts)


def fields_of(*rows: SpaceRow, **texts: str) -> SweepFields:
    return SweepFields(texts={"sampling": "random", **texts}, rows=rows)


def labels(fields: SweepFields) -> list[list[str]]:
    return [[fix.label for fix in own] for own in row_fixes(fields)]


def test_real_values_stand_in_the_specification_as_their_logarithms():
    uniform = row("loguniform", min_value="0.0001", max_value="0.1", scale="real")
    normal = row("qlognormal", mu="100", sigma="2", q="4", scale="real")

    assert uniform.expression() == {
        "type": "loguniform",
        "min_value": pytest.approx(math.log(0.0001)),
        "max_value": pytest.approx(math.log(0.1)),
    }
    assert normal.expression() == {
        "type": "qlognormal",
        "mu": pytest.approx(math.log(100)),
        "sigma": pytest.approx(math.log(2)),
        "q": 4,
    }
    # Other distributions take no logarithms, whatever the switch was before.
    assert row("uniform", min_value="1", max_value="2", scale="real").expression() == {
        "type": "uniform",
        "min_value": 1,
        "max_value": 2,
    }


def test_real_values_stay_as_they_were_typed_when_yaml_comes_back():
    before = fields_of(row("loguniform", min_value="1e-4", max_value=".1", scale="real"))
    raw = raw_from_fields(before)
    raw["search_space"]["lr"]["max_value"] = 0

    kept = keep_scales(fields_from_raw(raw), before).rows[0]

    assert kept.texts["min_value"] == "1e-4"
    assert kept.texts["max_value"] == "1"
    assert kept.texts["scale"] == "real"


def test_real_value_without_a_logarithm_is_said_as_it_was_typed():
    fields = fields_of(
        row("loguniform", "lr", min_value="0", max_value="1", scale="real"),
        row("lognormal", "w", mu="1", sigma="0.5", scale="real"),
    )

    found = {p.path: p.message for p in add_row_problems([], fields)}

    assert found == {
        "search_space.lr.min_value": "Low is 0; a real value of loguniform is greater than 0.",
        "search_space.w.sigma": (
            "Factor is 0.5; a factor is at least 1, which is no spread at all."
        ),
    }


def test_bounds_that_look_like_real_values_can_be_read_as_such():
    fields = fields_of(row("loguniform", min_value="0.0001", max_value="0.1"))

    assert labels(fields) == [["Read as 10⁻⁴ … 0.1"]]
    [[fix]] = row_fixes(fields)
    changed = apply_row_fix(fields, fix.posted)

    assert changed is not None
    assert changed.rows[0].expression()["max_value"] == pytest.approx(math.log(0.1))
    assert labels(changed) == [[]]


def test_row_that_a_grid_cannot_take_becomes_a_list():
    fields = fields_of(
        row("loguniform", "lr", min_value="-9", max_value="-1"),
        row("quniform", "units", min_value="16", max_value="64", q="16"),
        row("normal", "shift", mu="0", sigma="1"),
        row("choice", "batch", values="16, 32"),
        sampling="grid",
    )

    assert labels(fields) == [["List 5 values"], ["List 4 values"], ["List 5 values"], []]
    for number in range(3):
        fields = apply_row_fix(fields, f"row-{number}-0") or fields
    space = space_of(fields.expressions())

    assert space is not None
    assert space.expressions["units"].values() == [16, 32, 48, 64]
    assert space.expressions["shift"].values() == [-1.64, -0.674, 0, 0.674, 1.64]
    assert space.cardinality() == 5 * 4 * 5 * 2
    assert row_fixes(fields) == [[], [], [], []]


def test_row_that_bayesian_sampling_cannot_take_becomes_a_range_or_a_list():
    fields = fields_of(row("loguniform", min_value="-6", max_value="-1"), sampling="bayesian")

    assert labels(fields) == [["Use uniform(0.00248, 0.368)", "List 5 values"]]
    changed = apply_row_fix(fields, "row-0-0")

    assert changed is not None
    assert changed.rows[0].expression() == {
        "type": "uniform",
        "min_value": 0.00248,
        "max_value": 0.368,
    }
    assert apply_row_fix(fields, "row-7-0") is None


def test_step_that_leaves_hardly_any_value_is_warned_about():
    coarse, fine = (
        row("quniform", min_value="0", max_value="1", q="0.5"),
        row("quniform", "x", min_value="0", max_value="1", q="0.1"),
    )

    found = preview_space(fields_of(coarse, fine).expressions())

    assert found.rows[0].warnings == ["q collapses the range to 3 values: 0, 0.5, 1."]
    assert found.rows[1].warnings == []


def test_draws_of_a_seed_are_the_first_runs_of_the_sweep():
    fields = fields_of(
        row("uniform", "lr", min_value="0", max_value="1"),
        row("choice", "opt", values='"a b", c'),
        sampling="sobol",
        seed="7",
        script="train.py",
        arguments="--epochs 3",
    )
    space = space_of(fields.expressions())
    assert space is not None
    runs = Sobol(space, goal="minimize", seed=7).suggest(History(next_number=0), 8)

    first, second = draw_runs(fields, space, 0), draw_runs(fields, space, 1)

    assert (first.title, first.can_go_on) == ("Runs 0 to 4 of this sweep", True)
    assert (second.title, len(second.commands)) == ("Runs 5 to 9 of this sweep", 5)
    spec = {
        "script": "train.py",
        "search_space": raw_from_fields(fields)["search_space"],
        "primary_metric": {"name": "a", "goal": "minimize"},
        "max_total_runs": 8,
        "source_directory": ".",
    }
    parsed = SweepSpec.parse({**spec, "arguments": ["--epochs", "3"]})
    assert [shlex.split(command) for command in first.commands + second.commands][:8] == [
        parsed.argv(run.params, "python") for run in runs
    ]


def test_draws_without_a_seed_differ_from_page_to_page():
    fields = fields_of(row("uniform", min_value="0", max_value="1"))
    space = space_of(fields.expressions())

    pages = [draw_runs(fields, space, page) for page in (0, 1, 0)]

    assert pages[0] == pages[2] != pages[1]
    assert pages[0].title == "Five draws from this space"
    assert pages[0].commands == []


def test_draws_of_a_grid_go_on_and_begin_again():
    fields = fields_of(row("choice", values="1, 2, 3, 4, 5, 6, 7"), sampling="grid")
    space = space_of(fields.expressions())

    shown = [[value for [value] in draw_runs(fields, space, page).values] for page in range(3)]

    assert shown == [["1", "2", "3", "4", "5"], ["6", "7"], ["1", "2", "3", "4", "5"]]
