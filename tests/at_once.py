"""Several writers at the same moment, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(*tasks: Callable[[], T]) -> list[T]:
    """Run tasks in threads that start at the same moment; return what they return."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], T]) -> T:
        try:
            barrier.wait()
            return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, task) for task in tasks]]
