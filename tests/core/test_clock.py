"""The clock: real unless a simulation runs in this very context."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from experiments import clock

THEN = datetime(2001, 2, 3, tzinfo=UTC)


def test_the_clock_shows_the_real_time_in_utc():
    before = datetime.now(UTC)

    now = clock.now()

    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)


def test_a_simulation_sets_it_for_its_own_block_even_when_it_fails():
    seen = []

    def use() -> None:
        with clock.running_on(lambda: THEN):
            seen.append(clock.now())
            with clock.running_on(lambda: THEN + timedelta(days=1)):
                seen.append(clock.now())
            seen.append(clock.now())
            raise LookupError

    try:
        use()
    except LookupError:
        seen.append(clock.now())

    assert seen[:3] == [THEN, THEN + timedelta(days=1), THEN]
    assert seen[3] > THEN + timedelta(days=2)


def test_other_threads_keep_the_real_time():
    seen = []
    with clock.running_on(lambda: THEN):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()

    assert seen[0] > THEN + timedelta(days=1)
