"""docs/sampling-and-termination.md says what replays find: outcomes, tables and pictures."""

from __future__ import annotations

import pytest

from experiments.policies import make_policy
from tests import policy_replays as page
from tests.replay_pictures import IMAGES, draw_pictures
from tests.replayed_sweeps import (
    POLICIES,
    SWEEPS,
    Family,
    load_families,
    load_outcomes,
    outcome_of,
    replay_sweep,
)


@pytest.fixture(scope="module")
def families() -> dict[str, Family]:
    return load_families()


@pytest.fixture(scope="module")
def outcomes():
    return load_outcomes()


def test_kept_outcomes_are_what_the_policies_do_now(families, outcomes):
    # Every second pair of policy and set, one sweep of it: all of them take minutes.
    policies = [make_policy(config) for config in (None, *POLICIES)]
    assert all(list(outcomes[name]) == [p.summary() for p in policies] for name in families)
    for row, family in enumerate(families.values()):
        for column, policy in list(enumerate(policies))[row % 2 :: 2]:
            sweep = (7 * row + column) % SWEEPS
            kept = outcomes[family.name][policy.summary()][sweep]
            assert outcome_of(policy, family, sweep) == kept, (family.name, policy.summary())


def test_tables_and_pictures_are_made_of_the_kept_outcomes(families, outcomes):
    text = page.PAGE.read_text("utf-8")

    assert page.with_tables(text, page.tables(families, outcomes)) == text
    for name, picture in draw_pictures(families, outcomes).items():
        assert (IMAGES / name).read_text("utf-8") == picture, name
        assert f"](images/{name})" in text


def test_replay_without_a_policy_is_the_whole_sweep(families):
    family = families["boosting"]

    replay = replay_sweep(make_policy(None), family, 0)

    assert not replay.stops
    assert replay.best_so_far.size == family.values.size
    assert -replay.best_so_far[-1] == family.values.min()


def test_stopped_run_makes_no_more_reports_and_frees_its_slot(families):
    family = families["crossing"]
    policy = make_policy({"type": "truncation_selection", "truncation_percentage": 50})

    replay = replay_sweep(policy, family, 0)

    counts = {run: replay.curves.count(run) for run in range(len(family.values))}
    assert replay.stops
    assert all(counts[run] == interval for run, interval in replay.stops.items())
    assert {counts[run] for run in counts.keys() - replay.stops.keys()} == {family.values.shape[1]}
    assert replay.best_so_far.size == sum(counts.values())
