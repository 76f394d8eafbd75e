from __future__ import annotations

import asyncio

import pytest

from experiments.shared_reads import Frame, SharedReads


class Subject:
    """Something whose cursor moves on with every look at it."""

    def __init__(self, head: int) -> None:
        self.head = head
        self.looks: list[tuple[int, int]] = []
        self.error: Exception | None = None

    async def read(self, cursor: int, limit: int) -> Frame:
        self.looks.append((cursor, limit))
        if self.error is not None:
            raise self.error
        self.head += 1
        upto = min(self.head, cursor + limit)
        await asyncio.sleep(0)
        return Frame(upto, f"{cursor}-{upto}", is_empty=upto <= cursor)


def shared(subject: Subject, *, seconds: float = 60, window: int = 100) -> SharedReads:
    return SharedReads(subject.read, seconds=seconds, window=window)


def test_readers_of_one_cursor_share_a_read():
    subject = Subject(10)

    async def follow() -> list[Frame]:
        reads = shared(subject)
        first = await asyncio.gather(*(reads.after(5) for _ in range(20)))
        return [*first, await reads.after(5)]

    frames = asyncio.run(follow())

    assert subject.looks == [(5, 100)]
    assert {frame.text for frame in frames} == {"5-11"}


def test_reader_that_is_behind_is_brought_to_the_others():
    subject = Subject(10)

    async def follow() -> tuple[Frame, Frame]:
        reads = shared(subject)
        leader, behind = await asyncio.gather(reads.after(8), reads.after(3))
        return leader, behind

    leader, behind = asyncio.run(follow())

    assert leader.cursor == behind.cursor == 11
    assert behind.text == "3-11"
    # What happened since the leader looked is in neither of them.
    assert behind.begun == leader.begun


@pytest.mark.parametrize("cursor", [11, 40])
def test_reader_that_is_ahead_looks_for_itself(cursor):
    subject = Subject(10)

    async def follow() -> Frame:
        reads = shared(subject)
        await reads.after(8)
        subject.head = 50
        return await reads.after(cursor)

    assert asyncio.run(follow()).cursor == 51


def test_reader_far_behind_catches_up_alone():
    subject = Subject(500)

    async def follow() -> Frame:
        reads = shared(subject)
        await reads.after(499)
        return await reads.after(0)

    assert asyncio.run(follow()).cursor == 100


def test_next_while_is_read_anew():
    subject = Subject(10)

    async def follow() -> list[int]:
        reads = shared(subject, seconds=0)
        return [(await reads.after(5)).cursor for _ in range(2)]

    assert asyncio.run(follow()) == [11, 12]


def test_slow_reads_are_made_less_often_but_not_seldom():
    class Slow(Subject):
        seconds = 0.05

        async def read(self, cursor: int, limit: int) -> Frame:
            await asyncio.sleep(self.seconds)
            return await super().read(cursor, limit)

    async def follow(seconds: float) -> list[float]:
        subject = Slow(10)
        reads = shared(subject, seconds=seconds)
        before = reads.pace
        for cursor in range(8):
            await reads.after(cursor)
        return [before, reads.pace]

    usual, slowed = asyncio.run(follow(0.125))
    assert usual == 0.125
    assert 0.4 <= slowed <= 0.5
    # Where frames are seldom anyway, reading is no burden.
    assert asyncio.run(follow(60)) == [60, 60]


def test_failure_is_told_to_all_and_forgotten_with_the_while():
    subject = Subject(10)

    async def follow() -> tuple[list[object], Frame]:
        reads = shared(subject, seconds=0)
        subject.error = OSError("away")
        failed = await asyncio.gather(reads.after(5), return_exceptions=True)
        subject.error = None
        return [type(error) for error in failed], await reads.after(5)

    failed, frame = asyncio.run(follow())

    assert failed == [OSError]
    assert frame.cursor == 11


def test_reader_that_leaves_takes_nothing_from_the_others():
    subject = Subject(10)

    async def follow() -> Frame:
        reads = shared(subject)
        leaving = asyncio.create_task(reads.after(5))
        staying = asyncio.create_task(reads.after(5))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(follow()).text == "5-11"
