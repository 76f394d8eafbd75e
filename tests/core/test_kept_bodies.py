"""Finished answers: made once for all who ask, the newest version only, never too many bytes."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest

from experiments.kept_bodies import Finished, KeptBodies


def test_an_answer_is_made_once_for_a_version_and_a_question():
    made: list[tuple[str, int]] = []
    kept = KeptBodies(10_000)

    def ask(question: str, version: int) -> Finished:
        def make() -> bytes:
            made.append((question, version))
            return b"body"

        return kept.get(question, (version,), make)

    first = ask("a", 7)
    assert ask("a", 7) is first
    assert ask("a", 6) is first, "what is newer is right for who knows less"
    ask("a", 8)
    ask("b", 7)

    assert first.plain() == b"body"
    assert made == [("a", 7), ("a", 8), ("b", 7)]
    assert ask("a", 7).version == (8,)


def test_whoever_asks_meanwhile_waits_for_the_same_answer():
    kept = KeptBodies(10_000)
    is_begun, may_end = Event(), Event()
    made = []

    def make():
        made.append(1)
        is_begun.set()
        assert may_end.wait(30)
        return b"slow"

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(kept.get, "a", (1,), make)
        assert is_begun.wait(30)
        others = [threads.submit(kept.get, "a", (1,), make) for _ in range(2)]
        may_end.set()
        answers = [each.result(30) for each in (first, *others)]

    assert {answer.plain() for answer in answers} == {b"slow"}
    assert made == [1]


def test_what_goes_wrong_is_told_and_not_kept():
    kept = KeptBodies(10_000)

    with pytest.raises(ZeroDivisionError):
        kept.get("a", (1,), lambda: b"x" * (1 // 0))

    assert kept.get("a", (1,), lambda: b"right").plain() == b"right"


def test_the_answers_asked_for_least_lately_go_first_and_large_ones_are_not_kept():
    kept = KeptBodies(8_000)
    bodies = {name: os.urandom(1_500) for name in "abcdef"}
    for name in "abcde":
        kept.get(name, (1,), partial(bodies.__getitem__, name))
    kept.get("a", (1,), lambda: b"again")
    kept.get("f", (1,), lambda: bodies["f"])
    kept.get("large", (1,), lambda: os.urandom(5_000))

    assert kept.size <= 8_000
    assert kept.get("a", (1,), lambda: b"new").plain() == bodies["a"]
    assert kept.get("b", (1,), lambda: b"new").plain() == b"new"
    assert kept.get("large", (1,), lambda: b"new").plain() == b"new"
    kept.forget()
    assert kept.size == 0
