"""A few people on the pages of a studio at work: nothing fails, sockets bring reports."""

from __future__ import annotations

import pytest

from tests.crowd import Crowd, let_in

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_nothing_fails_for_a_crowd():
    crowd = Crowd(people=6, runs=4, seconds=15, think=(0.5, 2.0))

    measured = let_in(crowd)

    assert measured.problems(crowd) == []
    assert set(measured.seen.pages) >= {"dashboard", "overview", "runs"}
