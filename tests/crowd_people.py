"""One person of `tests.crowd`: goes from page to page, waits, looks, and holds one socket.

What a browser asks for besides a page is asked for as well: its charts, and what is fetched again
when the socket says that something changed, with the pauses of the scripts. A page is left when
its last answer is there: what is slow is never left out.
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

from tests.crowd_pages import PLACES, Again, Asked, Known, Place, chart

_PAGE_DATA: Final = re.compile(r'<script id="page-data" type="application/json">(.*?)</script>')
_FRAGMENT: Final = {"X-Fragment": "1"}
# What browsers say that they want when somebody opens a page.
_OPENED: Final = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
_TIMEOUT: Final = 60.0
# As many as a browser has to one server.
_CONNECTIONS: Final = httpx.Limits(max_connections=6)
# How often people look whether it is time to ask again, in seconds.
_LOOK: Final = 0.05


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


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that somebody looks at until a time of the monotonic clock."""

    name: str
    place: Place
    sweep: str
    until: float

    @property
    def address(self) -> str:
        """Return where the page is."""
        return self.place.address.format(sweep=self.sweep)


class Visitor:
    """A browser of a person."""

    def __init__(self, person: Person, url: str, seen: Seen, *, think: tuple[float, float]) -> None:
        self.person = person
        self.url = url
        self.seen = seen
        self.think = think
        self.random = random.Random(person.name)
        self.client = httpx.AsyncClient(
            base_url=url, timeout=_TIMEOUT, follow_redirects=True, limits=_CONNECTIONS
        )

    async def sign_in(self) -> None:
        """Open the one-time link."""
        answer = await self.client.get(self.person.link)
        answer.raise_for_status()

    async def stay(self, seconds: float) -> None:
        """Go from page to page for so long."""
        end = time.monotonic() + seconds
        # Nobody comes in at the same moment.
        await asyncio.sleep(self.random.uniform(0, self.think[1]))
        often = [place.often for place in PLACES.values()]
        try:
            while time.monotonic() < end:
                await self._visit(self.random.choices([*PLACES], often)[0], end)
        finally:
            await self.client.aclose()

    async def _visit(self, name: str, end: float) -> None:
        until = min(time.monotonic() + self.random.uniform(*self.think), end)
        visit = Visit(name, PLACES[name], self.random.choice(self.person.sweeps), until)
        text = await self._get(name, visit.address, self.seen.pages, **_OPENED)
        if not text:
            await asyncio.sleep(max(0.0, until - time.monotonic()))
            return
        found = _PAGE_DATA.search(text)
        data: dict[str, Any] = json.loads(found[1]) if found else {}
        asked = [Asked(rule) for rule in visit.place.again]
        await asyncio.gather(
            *(self._look_at(chart(each), visit, f"chart {each}") for each in visit.place.first),
            *([self._look_at_curves(data)] if visit.place.has_curves else []),
            *(self._ask_again(each, visit) for each in asked),
            self._listen(visit, data.get("cursor"), asked),
        )

    async def _look_at(self, address: str, visit: Visit, name: str) -> None:
        await self._get(name, address.format(sweep=visit.sweep), self.seen.parts)

    async def _look_at_curves(self, data: dict[str, Any]) -> None:
        query = f"?metric={data['sweep']['metric']}&x=interval"
        await self._get("curves", data["urls"]["curves"] + query, self.seen.parts)

    async def _ask_again(self, asked: Asked, visit: Visit) -> None:
        """Ask for something whenever its time has come, until the page is left."""
        while time.monotonic() < visit.until:
            wait = asked.wait()
            if wait is None or wait > 0:
                await asyncio.sleep(_LOOK if wait is None else min(wait, _LOOK))
                continue
            asked.begin()
            await self._fetch(asked.rule, visit)
            asked.end()

    async def _fetch(self, rule: Again, visit: Visit) -> None:
        if rule.address:
            await self._look_at(rule.address, visit, rule.name)
        else:
            await self._get(rule.name, visit.address, self.seen.parts, **_FRAGMENT)

    async def _listen(self, visit: Visit, cursor: int | None, asked: list[Asked]) -> None:
        """Hold a socket until it is time to go on, and say what it tells."""
        path = "/ws/sweeps/" if cursor is None else f"/ws/sweeps/{visit.sweep}/?after={cursor}"
        cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        headers = {"Cookie": cookies, "Origin": self.url}
        try:
            async with connect(
                f"ws{self.url.removeprefix('http')}{path}",
                additional_headers=headers,
                max_size=None,
                open_timeout=_TIMEOUT,
            ) as connection:
                self.seen.sockets += 1
                if cursor is None:
                    # Something may have changed before it was open.
                    for each in asked:
                        each.tell({"hint"})
                await self._hear(connection, visit.until, asked)
        except (WebSocketException, OSError, TimeoutError) as error:
            self.seen.errors.append(f"socket {path}: {error!r}")

    async def _hear(self, connection: ClientConnection, until: float, asked: list[Asked]) -> None:
        known = Known()
        while (left := until - time.monotonic()) > 0:
            try:
                frame = json.loads(await asyncio.wait_for(connection.recv(), left))
            except TimeoutError:
                return
            self._note(frame)
            changes = known.changes(frame)
            for each in asked:
                each.tell(changes)

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
            try:
                answer = await self.client.get(address, headers=headers)
            except (httpx.RemoteProtocolError, httpx.ReadError):
                # The server has just closed a connection that was kept: browsers ask once more.
                answer = await self.client.get(address, headers=headers)
        except httpx.HTTPError as error:
            self.seen.errors.append(f"{self.person.name}: {name} {address}: {error!r}")
            return ""
        times[name].append(time.monotonic() - begun)
        if answer.status_code != 200 or "/sign-in/" in str(answer.url):
            self.seen.errors.append(f"{self.person.name}: {name} {address}: {answer.status_code}")
            return ""
        return answer.text
