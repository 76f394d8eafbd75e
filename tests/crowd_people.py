"""One person of `tests.crowd`: goes from page to page, waits, looks, and holds one socket.

What a browser asks for besides a page is asked for as well: its charts, and the parts that are
fetched again when the socket says that something changed, with the pauses of the scripts.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

# Where people go, and how often of a hundred times.
PLACES: Final = {
    "dashboard": 22,
    "sweeps": 16,
    "overview": 26,
    "charts": 12,
    "runs": 14,
    "run": 6,
    "log": 4,
}
_SUFFIXES: Final = {"overview": "", "charts": "charts/", "runs": "runs/", "log": "logs/"}
_CHARTS: Final = {
    "overview": ("best_so_far", "metrics"),
    "charts": ("metrics", "parallel_coordinates", "scatter_2d"),
}
# What is fetched again while a page is open, and with which pause in seconds.
_PARTS: Final = {"dashboard": 3.0, "sweeps": 3.0, "runs": 1.0, "overview": 2.0}
_PAGE_DATA: Final = re.compile(r'<script id="page-data" type="application/json">(.*?)</script>')
_FRAGMENT: Final = {"X-Fragment": "1"}
_TIMEOUT: Final = 60.0


@dataclass(slots=True)
class Seen:
    """What all of them saw; times in seconds."""

    pages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    parts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    frames: int = 0
    sockets: int = 0
    points: int = 0
    behind: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Person:
    """Who visits: a link that signs in, and the sweeps of their workspace."""

    name: str
    link: str
    sweeps: list[str]


class Visitor:
    """A browser of a person."""

    def __init__(self, person: Person, url: str, seen: Seen, *, think: tuple[float, float]) -> None:
        self.person = person
        self.url = url
        self.seen = seen
        self.think = think
        self.random = random.Random(person.name)
        self.client = httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, follow_redirects=True)

    async def sign_in(self) -> None:
        """Open the one-time link."""
        answer = await self.client.get(self.person.link)
        answer.raise_for_status()

    async def stay(self, seconds: float) -> None:
        """Go from page to page for so long."""
        end = time.monotonic() + seconds
        # Nobody comes in at the same moment.
        await asyncio.sleep(self.random.uniform(0, self.think[1]))
        try:
            while time.monotonic() < end:
                place = self.random.choices([*PLACES], [*PLACES.values()])[0]
                await self._visit(place, end)
        finally:
            await self.client.aclose()

    async def _visit(self, place: str, end: float) -> None:
        sweep = self.random.choice(self.person.sweeps)
        address = self._address(place, sweep)
        text = await self._get(place, address, self.seen.pages)
        until = min(time.monotonic() + self.random.uniform(*self.think), end)
        if not text:
            await asyncio.sleep(max(0.0, until - time.monotonic()))
            return
        found = _PAGE_DATA.search(text)
        data: dict[str, Any] = json.loads(found[1]) if found else {}
        for chart in _CHARTS.get(place, ()):
            await self._get(
                f"chart {chart}", f"/sweeps/{sweep}/charts/{chart}.json", self.seen.parts
            )
        if place in _CHARTS:
            metric = data["sweep"]["metric"]
            query = f"?metric={metric}&x=interval"
            await self._get("curves", data["urls"]["curves"] + query, self.seen.parts)
        socket = f"/ws/sweeps/{sweep}/?after={data['cursor']}" if data else "/ws/sweeps/"
        await self._listen(place, address, sweep, socket, until)

    def _address(self, place: str, sweep: str) -> str:
        if place in _SUFFIXES:
            return f"/sweeps/{sweep}/{_SUFFIXES[place]}"
        return f"/runs/{sweep}_0/" if place == "run" else f"/{place}/"

    async def _listen(
        self, place: str, address: str, sweep: str, socket: str, until: float
    ) -> None:
        """Hold a socket until it is time to go on, and fetch what a browser would fetch."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        headers = {"Cookie": cookies, "Origin": self.url}
        try:
            async with connect(
                f"ws{self.url.removeprefix('http')}{socket}",
                additional_headers=headers,
                max_size=None,
                open_timeout=_TIMEOUT,
            ) as connection:
                self.seen.sockets += 1
                await self._hear(connection, place, address, sweep, until)
        except (WebSocketException, OSError, TimeoutError) as error:
            self.seen.errors.append(f"socket {socket}: {error!r}")

    async def _hear(
        self, connection: ClientConnection, place: str, address: str, sweep: str, until: float
    ) -> None:
        pause, last = _PARTS.get(place, 0.0), time.monotonic()
        while (left := until - time.monotonic()) > 0:
            try:
                frame = json.loads(await asyncio.wait_for(connection.recv(), left))
            except TimeoutError:
                return
            self._note(frame)
            # Asked for at the end of the pause, as the scripts do; frames wait meanwhile.
            if pause and time.monotonic() - last >= pause:
                if place == "overview":
                    chart = f"/sweeps/{sweep}/charts/best_so_far.json"
                    await self._get("chart best_so_far", chart, self.seen.parts)
                else:
                    await self._get(f"parts of {place}", address, self.seen.parts, **_FRAGMENT)
                last = time.monotonic()

    def _note(self, frame: dict[str, Any]) -> None:
        now = time.time()
        self.seen.frames += 1
        for event in frame.get("events", ()):
            if event["type"] == "metrics":
                self.seen.points += len(event["times"])
                # What was there before the page is not late.
                self.seen.behind += [now - at for at in event["times"][-1:]]

    async def _get(
        self, name: str, address: str, times: dict[str, list[float]], **headers: str
    ) -> str:
        begun = time.monotonic()
        try:
            answer = await self.client.get(address, headers=headers)
        except httpx.HTTPError as error:
            self.seen.errors.append(f"{self.person.name}: {name} {address}: {error!r}")
            return ""
        times[name].append(time.monotonic() - begun)
        if answer.status_code != 200 or "/sign-in/" in str(answer.url):
            self.seen.errors.append(f"{self.person.name}: {name} {address}: {answer.status_code}")
            return ""
        return answer.text
