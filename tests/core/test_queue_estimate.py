"""The queue played through: the starts that the division of slots would give, as far as known."""

from __future__ import annotations

import pytest

from experiments.fair_share import Hold, HoldKind, Line, Standing, Team
from experiments.queue_estimate import LiveRun, play
from studio.cli_sweeps import format_place


def starts(lines, *, slots, live=(), usual=None, teams=None, closed=None, most=50):
    known = teams or {line.workspace: Team() for line in lines}
    standing = Standing(lines, known, closed=closed)
    found = play(standing, slots=slots, live=live, usual=usual or {}, most=most)
    return [(start.sweep, start.seconds) for start in found]


def test_waiting_runs_get_the_slots_that_become_free():
    live = [LiveRun(9, 9, 10.0), LiveRun(9, 9, 30.0)]

    found = starts([Line(1, 1, 4, 1)], slots=3, live=live, usual={1: 20.0})

    assert found == [(1, 0.0), (1, 10.0), (1, 20.0), (1, 30.0)]


def test_workspaces_take_turns_as_they_will():
    lines = [Line(1, 1, 100, 1, running=2), Line(2, 2, 2, 200)]
    live = [LiveRun(1, 1, 20.0), LiveRun(1, 1, 50.0)]

    found = starts(lines, slots=2, live=live, usual={1: 60.0, 2: 60.0}, most=5)

    assert [sweep for sweep, _ in found] == [2, 1, 2, 1, 1]
    assert [seconds for _, seconds in found] == [20.0, 50.0, 80.0, 110.0, 140.0]


def test_nothing_is_expected_where_a_duration_is_not_known():
    line = [Line(1, 1, 3, 1)]

    assert starts(line, slots=1) == [(1, 0.0), (1, None), (1, None)]
    # A slot that is known goes on being of use.
    live = [LiveRun(9, 9, None), LiveRun(9, 9, 4.0)]
    found = starts([Line(1, 1, 2, 1)], slots=2, live=live, usual={1: 6.0})
    assert found == [(1, 4.0), (1, 10.0)]


def test_what_is_held_waits_until_a_run_of_its_own_ends():
    lines = [Line(1, 1, 2, 1, running=1), Line(2, 2, 1, 9)]
    teams = {1: Team("A", max_running=1, running=1), 2: Team()}

    found = starts(lines, slots=4, live=[LiveRun(1, 1, 5.0)], usual={1: 30.0, 2: 30.0}, teams=teams)

    assert found == [(2, 0.0), (1, 5.0), (1, 35.0)]


def test_what_never_may_start_has_no_turn():
    spent = {1: Team("A", max_per_day=4, started_today=3)}

    assert starts([Line(1, 1, 9, 1)], slots=4, usual={1: 1.0}, teams=spent) == [(1, 0.0)]
    closed = Hold(HoldKind.MAINTENANCE, "")
    assert starts([Line(1, 1, 9, 1)], slots=4, closed=closed) == []
    assert starts([], slots=4) == []


def test_no_slots_give_no_starts():
    assert starts([Line(1, 1, 2, 1)], slots=0) == []


@pytest.mark.parametrize("most", [0, 1, 7])
def test_only_so_many_starts_are_played(most):
    assert len(starts([Line(1, 1, 500, 1)], slots=3, usual={1: 1.0}, most=most)) == most


def test_a_place_is_told_in_one_line():
    place = {"waiting": 3, "position": 2, "of": 9, "starts_in": 90.0, "reason": "its slot is busy"}

    assert format_place(None) == ""
    assert format_place(place) == (
        "3 runs, place 2 of 9, next start in about 1 min 30 s: its slot is busy"
    )
    assert format_place({**place, "waiting": 1, "starts_in": None}) == (
        "1 run, place 2 of 9: its slot is busy"
    )
