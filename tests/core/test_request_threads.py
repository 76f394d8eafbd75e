"""Requests take turns, and none of them waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from studio.request_threads import Turns


def test_no_more_than_so_many_work_at_once():
    turns, lock, working, most = Turns(2, 60.0), threading.Lock(), [0], [0]
    both = threading.Barrier(2)

    def work(number: int) -> int:
        with lock:
            working[0] += 1
            most[0] = max(most[0], working[0])
        # Only with exactly two at work does anybody get on.
        both.wait(60)
        with lock:
            working[0] -= 1
        return number

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: turns.take(work, number), range(20)))

    assert done == list(range(20))
    assert most == [2]


def test_who_has_waited_long_enough_goes_on():
    turns, is_over = Turns(1, 0.01), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(turns.take, is_over.wait, 60)

        assert [turns.take(letter.upper) for letter in "ab"] == ["A", "B"]

        is_over.set()
        assert slow.result(60)


def test_what_fails_gives_its_turn_back():
    turns = Turns(1, 60.0)
    for _ in range(3):
        with pytest.raises(ValueError, match="invalid literal"):
            turns.take(int, "x")

    assert turns.take(int, "7") == 7
