"""Websockets: what is new in one sweep after the client's cursor; which sweeps of a list changed.

A message of the channel layer is only a hint. Every frame is read from the database after the last
cursor, merged, and sent when the one before has gone out; a slow look at the cursor heals lost
hints.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary, WeakValueDictionary

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from experiments import queries
from experiments.models import Sweep
from experiments.services.events import LIST_GROUP, sweep_group
from experiments.services.sessions import person_group, who_is_signed_in
from experiments.shared_reads import Frame, SharedReads

logger = logging.getLogger(__name__)
T = TypeVar("T")

FRAME_SECONDS: Final = 0.25
LIST_SECONDS: Final = 1.0
# Hints may be lost with Redis; this is how late a frame can be then.
LOOK_SECONDS: Final = 3.0
# How long a socket may outlive a session or the right to look at a sweep, where the hint is lost.
CHECK_SECONDS: Final = 60.0
ANONYMOUS: Final = 4401
NOT_FOUND: Final = 4404
# Changes merged into one frame while a client catches up.
_WINDOW: Final = 2000
# By sweep; of the event loop that its sockets live in.
_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[int, SharedReads]] = (
    WeakKeyDictionary()
)


class SignedOutError(Exception):
    """The session that a socket was opened with has ended."""


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """What both sockets share: who may listen, the groups, and one task that sends frames."""

    group: str
    seconds: float

    async def connect(self) -> None:
        """Accept, or close with 4401 for nobody and 4404 for what is not theirs to see."""
        # Accepted first: a refused handshake cannot carry a close code.
        await self.accept()
        self.dirty = asyncio.Event()
        self.sender: asyncio.Task[None] | None = None
        self.check_at = time.monotonic() + CHECK_SECONDS
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(code=ANONYMOUS)
        elif not await self.open(user):
            await self.close(code=NOT_FOUND)
        else:
            await self.join()
            self.sender = asyncio.create_task(self.send_frames())

    async def open(self, user: Any) -> bool:
        """Find what this socket is about; False when there is nothing for this person."""
        raise NotImplementedError

    async def send_frame(self) -> None:
        """Send what is new, if anything is."""
        raise NotImplementedError

    async def join(self) -> None:
        """Listen to the group; without Redis the slow look at the database has to do."""
        try:
            for group in self.groups_of_socket():
                await self.channel_layer.group_add(group, self.channel_name)
        except Exception as error:  # noqa: BLE001 - hints are a help, not a need
            logger.warning("no live hints for %s: %s", self.group, error)

    def pause(self) -> float:
        """Return how many seconds are between two frames at least."""
        return self.seconds

    def groups_of_socket(self) -> tuple[str, str]:
        """Return what it listens to: its subject, and what becomes of its person."""
        return self.group, person_group(self.scope["user"].pk)

    async def check_access(self) -> None:
        """Look whether the session goes on; raises SignedOutError when it does not."""
        self.check_at = time.monotonic() + CHECK_SECONDS
        session = self.scope.get("session")
        key = session.session_key if session is not None else None
        user = await _read(who_is_signed_in, self.scope["user"].pk, key)
        if user is None:
            raise SignedOutError
        self.scope["user"] = user

    async def send_frames(self) -> None:
        """Send at most one frame in `seconds`, each after the one before has gone out."""
        with suppress(asyncio.CancelledError):
            while True:
                self.dirty.clear()
                try:
                    if time.monotonic() >= self.check_at:
                        await self.check_access()
                    await self.send_frame()
                except SignedOutError:
                    await self.close(code=ANONYMOUS)
                    return
                except Sweep.DoesNotExist:
                    await self.close(code=NOT_FOUND)
                    return
                except DatabaseError as error:
                    logger.warning("live frame of %s put off: %s", self.group, error)
                await asyncio.sleep(self.pause())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.dirty.wait(), LOOK_SECONDS)

    async def sweep_changed(self, message: dict[str, Any]) -> None:
        """Take a hint from the channel layer."""
        del message
        self.dirty.set()

    async def person_changed(self, message: dict[str, Any]) -> None:
        """Take the hint that a session of the person ended, or the whole account."""
        del message
        self.check_at = 0.0
        self.dirty.set()

    async def disconnect(self, code: int) -> None:
        """Stop sending and leave the group."""
        del code
        if self.sender is not None:
            self.sender.cancel()
            await self.sender
            with suppress(Exception):
                for group in self.groups_of_socket():
                    await self.channel_layer.group_discard(group, self.channel_name)

    async def send_json(self, content: dict[str, Any]) -> None:
        """Send compact JSON."""
        await self.send(text_data=_compact(content))


class SweepConsumer(LiveConsumer):
    """Everything that changes in one sweep, from the cursor in `?after=` on."""

    seconds = FRAME_SECONDS

    async def open(self, user: Any) -> bool:
        """Find the sweep among those that the person may see."""
        sweep = await _read(_find_sweep, user, self.scope["url_route"]["kwargs"]["sweep_id"])
        if sweep is None:
            return False
        self.sweep = sweep
        self.group = sweep_group(sweep.pk)
        self.cursor = _after(self.scope.get("query_string", b""), default=sweep.cursor)
        self.is_first = True
        self.hinted_at = float("-inf")
        self.reads = _reads_of(sweep)
        return True

    def pause(self) -> float:
        """Return what all sockets of the sweep wait: longer where many want something."""
        return self.reads.pace

    async def sweep_changed(self, message: dict[str, Any]) -> None:
        """Note when the hint came: a frame that was read before does not have the change."""
        self.hinted_at = time.monotonic()
        await super().sweep_changed(message)

    async def send_frame(self) -> None:
        """Send the events after the cursor; the first frame goes out even when it is empty."""
        frame = await self.reads.after(self.cursor)
        if self.is_first or not frame.is_empty:
            await self.send(text_data=frame.text)
        if frame.begun < self.hinted_at or frame.cursor - self.cursor >= _WINDOW:
            self.dirty.set()  # there is more to catch up with
        self.cursor, self.is_first = frame.cursor, False

    async def check_access(self) -> None:
        """End the stream of somebody who may not see the sweep any more."""
        await super().check_access()
        if await _read(_find_sweep, self.scope["user"], self.sweep.public_id) is None:
            raise Sweep.DoesNotExist


class SweepListConsumer(LiveConsumer):
    """Which of a person's sweeps have changed, by public id, at most once a second."""

    seconds = LIST_SECONDS
    group = LIST_GROUP

    async def open(self, user: Any) -> bool:
        """Begin with nothing; whoever is signed in sees something or nothing in the list."""
        del user
        self.changed: set[int] = set()
        return True

    async def sweep_changed(self, message: dict[str, Any]) -> None:
        """Collect the sweep that a hint is about."""
        self.changed.add(message["sweep"])
        self.dirty.set()

    async def send_frame(self) -> None:
        """Send the public ids of the changed sweeps that this person may see."""
        changed, self.changed = self.changed, set()
        ids = await _read(_public_ids, self.scope["user"], changed) if changed else []
        if ids:
            await self.send_json({"changed": ids})


def _find_sweep(user: Any, public_id: str) -> Sweep | None:
    return queries.followed_for(user).filter(public_id=public_id).first()


def _reads_of(sweep: Sweep) -> SharedReads:
    """Return the reads that all sockets of this sweep share; gone with the last of them."""
    known = _shared.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    reads = known.get(sweep.pk)
    if reads is None:
        look = partial(_read, _frame_after, sweep)
        reads = known[sweep.pk] = SharedReads(look, seconds=FRAME_SECONDS, window=_WINDOW)
    return reads


def _frame_after(sweep: Sweep, cursor: int, limit: int) -> Frame:
    upto, events = queries.events_after(sweep, cursor, limit=limit)
    return Frame(upto, _compact({"cursor": upto, "events": events}), is_empty=not events)


def _compact(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def _public_ids(user: Any, keys: set[int]) -> list[str]:
    rows = queries.hinted_for(user).filter(pk__in=keys, kind=Sweep.Kind.SWEEP).order_by("pk")
    return list(rows.values_list("public_id", flat=True))


async def _read(function: Callable[..., T], *args: Any) -> T:
    # Not thread-sensitive: all sockets of the process would wait for one thread.
    found: T = await database_sync_to_async(function, thread_sensitive=False)(*args)
    return found


def _after(query: bytes, *, default: int) -> int:
    text = parse_qs(query.decode("latin-1")).get("after", [""])[0]
    return int(text) if text.isdigit() and len(text) < 19 else default
