"""Form fields and specification mappings turn into each other without loss."""

import pytest

from experiments.forms.sweep_fields import (
    SpaceRow,
    SweepFields,
    fields_from_post,
    fields_from_raw,
    raw_from_fields,
)

FULL = {
    "name": "digits-mlp",
    "experiment": "digits",
    "source_directory": "examples/digits-mlp",
    "script": "train.py",
    "arguments": ["--epochs", "20", "--note", "two words"],
    "python": "/usr/bin/python3",
    "environment": {"OMP_NUM_THREADS": "1"},
    "compute": "local",
    "search_space": {
        "learning_rate": {"type": "loguniform", "min_value": -6, "max_value": -1},
        "batch_size": {"type": "choice", "values": [16, 32, "auto", [1, 2]]},
        "--seed": {"type": "randint", "upper": 5},
        "dropout": {"type": "quniform", "min_value": 0, "max_value": 0.5, "q": 0.05},
        "scale": {"type": "qlognormal", "mu": 1, "sigma": 0.5, "q": 2},
    },
    "sampling": {"type": "sobol", "seed": 7},
    "primary_metric": {"name": "accuracy", "goal": "minimize"},
    "early_termination": {
        "type": "bandit",
        "slack_factor": 0.1,
        "evaluation_interval": 1,
        "delay_evaluation": 5,
    },
    "max_total_runs": 20,
    "max_concurrent_runs": 4,
    "max_duration_minutes": 60,
    "run_timeout_minutes": 2.5,
    "max_failed_runs": 3,
    "tags": {"team": "vision"},
    "description": "First line\nsecond line",
    "resume_from": ["HD_1"],
}


def post_of(fields):
    """What a browser sends for these fields."""
    post = dict(fields.texts)
    for index, row in enumerate(fields.rows):
        post |= {f"search_space-{index}-{key}": text for key, text in row.texts.items()}
        post |= {f"search_space-{index}-name": row.name, f"search_space-{index}-type": row.type}
    return post


def test_full_specification_survives_the_form():
    assert raw_from_fields(fields_from_post(post_of(fields_from_raw(FULL)))) == FULL


def test_search_space_keeps_its_order():
    fields = fields_from_raw(FULL)

    assert list(raw_from_fields(fields)["search_space"]) == list(FULL["search_space"])


def test_command_and_snapshot_survive_the_form():
    raw = {k: v for k, v in FULL.items() if k not in ("script", "source_directory")}
    raw |= {"command": "python train.py --lr ${{search_space.lr}}", "snapshot": "ab" * 32}

    assert raw_from_fields(fields_from_raw(raw)) == raw


@pytest.mark.parametrize(
    ("notation", "row"),
    [
        ("loguniform(-6, -1)", ("loguniform", {"min_value": "-6", "max_value": "-1"})),
        (["loguniform", [-6, -1]], ("loguniform", {"min_value": "-6", "max_value": "-1"})),
        ("uniform(0, max_value=1e-5)", ("uniform", {"min_value": "0", "max_value": "1e-05"})),
        ("choice(\"sgd\", 'adam')", ("choice", {"values": "sgd, adam"})),
        ("choice(range(1, 5))", ("choice", {"values": "1, 2, 3, 4"})),
        (["choice", [[16, 32]]], ("choice", {"values": "16, 32"})),
        ("choice([[1, 2], [3]])", ("choice", {"values": "[1, 2], [3]"})),
        ("uniform(0, high)", ("uniform", {"min_value": "0", "max_value": "high"})),
        ("uniform(0", ("choice", {"values": '"uniform(0"'})),
        (
            "__import__('os').system('x')",
            ("choice", {"values": "\"__import__('os').system('x')\""}),
        ),
        (3, ("choice", {"values": "3"})),
        ({"type": "normal", "mu": 0}, ("normal", {"mu": "0"})),
    ],
)
def test_every_notation_of_an_expression_fills_a_row(notation, row):
    fields = fields_from_raw({"search_space": {"x": notation}})

    assert (fields.rows[0].type, dict(fields.rows[0].texts)) == row


@pytest.mark.parametrize(
    ("sampling", "texts"),
    [
        ("grid", ("grid", "")),
        ({"type": "random", "seed": 7, "rule": "sobol"}, ("sobol", "7")),
        ({"type": "random"}, ("random", "")),
        (None, ("random", "")),
    ],
)
def test_sampling_is_read_in_every_form(sampling, texts):
    fields = fields_from_raw({"sampling": sampling})

    assert (fields.get("sampling"), fields.get("seed")) == texts


def test_fields_of_other_types_and_policies_are_not_sent():
    row = SpaceRow("x", "uniform", {"min_value": "0", "max_value": "1", "mu": "7", "values": "a"})
    fields = SweepFields({"policy": "median_stopping", "policy-bandit-slack_factor": "0.1"}, (row,))

    raw = raw_from_fields(fields)

    assert raw["search_space"] == {"x": {"type": "uniform", "min_value": 0, "max_value": 1}}
    assert raw["early_termination"] == {"type": "median_stopping"}


def test_what_is_no_number_stays_as_typed():
    row = SpaceRow("x", "uniform", {"min_value": "zero", "max_value": "1"})

    raw = raw_from_fields(SweepFields({"max_total_runs": "many"}, (row,)))

    assert raw["search_space"]["x"]["min_value"] == "zero"
    assert raw["max_total_runs"] == "many"


def test_rows_are_sent_in_the_order_of_their_numbers():
    fields = fields_from_post(
        {"search_space-10-name": "b", "search_space-2-name": "a", "search_space-2-type": "choice"}
    )

    assert [(row.name, row.type) for row in fields.rows] == [("a", "choice"), ("b", "uniform")]


@pytest.mark.parametrize("carried", ["{", "[]", '{"name": "other"}', "null"])
def test_carried_keys_cannot_replace_fields(carried):
    raw = raw_from_fields(SweepFields({"name": "mine", "carried": carried}))

    assert raw["name"] == "mine"


@pytest.mark.parametrize("raw", [{}, {"search_space": []}, {"primary_metric": 3, "tags": "x"}])
def test_broken_mappings_fill_the_form_as_far_as_possible(raw):
    assert fields_from_raw(raw).get("sampling") == "random"
