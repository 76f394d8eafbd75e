"""A remembered value is read again when it is old, or was forgotten in any of the forks."""

from __future__ import annotations

import os

from experiments.remembered import Remembered


def test_it_is_read_once_and_again_after_forgetting():
    reads: list[int] = []
    remembered = Remembered(lambda: reads.append(1) or len(reads), seconds=600)

    assert [remembered.value(), remembered.value()] == [1, 1]
    remembered.forget()
    assert [remembered.value(), remembered.last()] == [2, 2]
    remembered.keep(7)
    assert remembered.value() == 7
    assert Remembered(lambda: reads.append(1) or len(reads), seconds=0).value() == 3


def test_what_a_fork_forgets_is_forgotten_here():
    reads: list[int] = []
    remembered = Remembered(lambda: reads.append(1) or len(reads), seconds=600)
    remembered.value()
    if (pid := os.fork()) == 0:
        remembered.forget()
        os._exit(0)
    os.waitpid(pid, 0)

    assert [remembered.value(), remembered.value()] == [2, 2]
