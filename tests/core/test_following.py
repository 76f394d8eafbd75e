"""Following in a thread: new, lost and back, ended, refused, stopped, interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from studio.sdk import following
from studio.sdk.client import StudioRefusedError, StudioUnreachableError
from studio.sdk.following import ENDED, FAILED, LIVE, LOST, STOPPED, Following

QUICK = (0.001, 0.004)
SECONDS = 30


@pytest.fixture
def follow() -> Iterator[Callable[..., tuple[Following, list[Any]]]]:
    """Make a following of the answers, one a step; the last one again and again."""
    made = []

    def make(*answers: Any) -> tuple[Following, list[Any]]:
        told: list[Any] = []
        left = list(answers)

        def step() -> tuple[bool, bool]:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        found = Following(step, lambda state, text: told.append((state, text)), QUICK)
        made.append(found)
        return found, told

    yield make
    for found in made:
        found.stop()
        found.join(SECONDS)
        assert not found.is_running


def test_lost_studio_is_told_once_and_comes_back(follow):
    lost = StudioUnreachableError("No answer.")
    found, told = follow((True, False), lost, lost, StudioRefusedError(503, "Busy.", []), (0, 1))

    found.start()
    found.join(SECONDS)

    again = "The studio does not answer; trying again. "
    assert told == [(LIVE, ""), (LOST, again + "No answer."), (LOST, again + "Busy."), (ENDED, "")]


@pytest.mark.parametrize("error", [StudioRefusedError(404, "Gone.", []), KeyError("cursor")])
def test_what_does_not_pass_ends_it_with_the_reason(follow, error):
    found, told = follow((False, False), error)

    found.start()
    found.join(SECONDS)

    assert [state for state, _ in told] == [LIVE, FAILED]
    assert str(error) in told[-1][1]


def test_it_stops_at_once_and_starts_again(follow):
    before = threading.active_count()
    found, told = follow((False, False))
    found.start()
    found.start()

    found.stop("Enough.")
    found.join(SECONDS)

    assert not found.is_running
    assert told[-1] == (STOPPED, "Enough.")
    assert threading.active_count() == before
    found.start()
    assert found.is_running


def test_only_an_interrupt_of_a_cell_stops_all(follow):
    hooks: list[Any] = []
    shell = SimpleNamespace(
        events=SimpleNamespace(register=lambda name, hook: hooks.append((name, hook)))
    )
    found, told = follow((False, False))
    following.stop_when_interrupted(shell)
    following.stop_when_interrupted(shell)
    found.start()
    [(name, hook)] = hooks

    hook(SimpleNamespace(error_in_exec=ValueError()))
    assert name == "post_run_cell"
    assert found.is_running
    hook(SimpleNamespace(error_in_exec=KeyboardInterrupt()))

    found.join(SECONDS)
    assert not found.is_running
    assert told[-1] == (STOPPED, "Stopped by an interrupt of the kernel.")
