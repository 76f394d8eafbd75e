"""Sends notifications, in threads of the process that watches.

Not in its ticks and not as jobs of the controller: a receiver that answers slowly holds up no
sweep. Everything that is to be sent stands in rows, so any number of these may run, or none.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import close_old_connections, connection

from experiments.services.notification_log import clean_log
from experiments.services.notification_sending import due_channels, send_due
from experiments.services.notification_spread import spread_notifications
from experiments.services.notification_watch import watch_leads, watch_silence

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
_REST_SECONDS: Final = 15.0
# Slow receivers each hold one; there are never more of them at it than this.
_SENDERS: Final = 6
# How often what is asked of the database beside what is due.
_LEAD_SECONDS: Final = 10.0
_SILENCE_SECONDS: Final = 60.0
_CLEAN_SECONDS: Final = 3600.0


class Messenger:
    """Looks for what is to be told and hands each channel to a sender of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_SENDERS, thread_name_prefix="sender")
        self._busy: set[int] = set()
        self._lock = threading.Lock()
        self._due: dict[Callable[[], object], float] = {}

    def look(self) -> None:
        """Do once what is due; does not wait for what it hands to the senders."""
        self._at_times(watch_leads, _LEAD_SECONDS)
        self._at_times(watch_silence, _SILENCE_SECONDS)
        spread_notifications()
        with self._lock:
            busy = set(self._busy)
        for channel_id in due_channels(busy):
            with self._lock:
                self._busy.add(channel_id)
            self._pool.submit(self._send, channel_id)
        self._at_times(clean_log, _CLEAN_SECONDS)

    def _send(self, channel_id: int) -> None:
        try:
            send_due(channel_id)
        except Exception:
            logger.exception("notification channel %s", channel_id)
        finally:
            # A sender may be idle for days, and a server closes such connections.
            connection.close()
            with self._lock:
                self._busy.discard(channel_id)

    def _at_times(self, look: Callable[[], object], seconds: float) -> None:
        now = time.monotonic()
        if now >= self._due.get(look, 0.0):
            self._due[look] = now + seconds
            look()


def start_messenger() -> threading.Thread:
    """Look again and again, until the process ends; what that interrupts is sent again."""
    thread = threading.Thread(target=_work, name="messenger", daemon=True)
    thread.start()
    return thread


def _work() -> None:
    messenger, pause = Messenger(), threading.Event()
    while True:
        rest = _LOOK_SECONDS
        close_old_connections()
        try:
            messenger.look()
        except Exception:
            logger.exception("messenger")
            rest = _REST_SECONDS
        pause.wait(rest)
