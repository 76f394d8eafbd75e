"""The heaps of a process: what lies free goes back after requests, once for all of a burst."""

from __future__ import annotations

import asyncio
from typing import Any

from studio import heap


def test_memory_goes_back_once_after_a_burst_of_requests(monkeypatch):
    trimmed: list[str] = []
    monkeypatch.setattr(heap, "_PAUSE", 0.0)
    monkeypatch.setattr(heap, "_call", lambda name, *_: trimmed.append(name))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope == "bad":
            raise ValueError(scope)

    served = heap.giving_back(application)

    async def burst() -> list[Any]:
        asked = (served(scope, None, None) for scope in ("good", "bad", "good"))
        return await asyncio.gather(*asked, return_exceptions=True)

    async def two_bursts() -> None:
        for count in (1, 2):
            answers = await burst()
            assert [type(answer) for answer in answers] == [type(None), ValueError, type(None)]
            while len(trimmed) < count:
                await asyncio.sleep(0)
        assert trimmed == ["malloc_trim", "malloc_trim"]

    asyncio.run(two_bursts())
