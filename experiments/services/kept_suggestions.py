"""Suggestions that were worked out before they are needed, kept in Redis under their history.

A suggestion is taken only where sweep, history and count are exactly those it was made for, so it
is the one that the sampler would give now. Losing any of it costs time and changes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import django_rq
from redis.exceptions import RedisError

from experiments.samplers.base import Suggestion
from experiments.services.sweep_history import Seen
from studio.version import VERSION

logger = logging.getLogger(__name__)

# Histories pass: whoever needs one of these needs it soon.
_KEPT_SECONDS: Final = 3600
# A job that died without a word holds the next one back for this long.
_ASKED_SECONDS: Final = 10


def take(sweep_id: int, seen: Seen, count: int) -> list[Suggestion] | None:
    """Return what was kept for this history; None when there is nothing."""
    try:
        raw = django_rq.get_connection("default").get(_key(sweep_id, seen, count))
    except (RedisError, OSError) as error:
        logger.warning("no suggestions from Redis for sweep %s: %s", sweep_id, error)
        return None
    if raw is None:
        return None
    return [Suggestion(**one) for one in json.loads(raw)]


def keep(sweep_id: int, seen: Seen, count: int, suggestions: Sequence[Suggestion]) -> None:
    """Keep suggestions for a history that is expected."""
    text = json.dumps([asdict(suggestion) for suggestion in suggestions])
    key = _key(sweep_id, seen, count)
    django_rq.get_connection("default").set(key, text, ex=_KEPT_SECONDS)


def is_kept(sweep_id: int, seen: Seen, count: int) -> bool:
    """Tell whether something is kept for a history."""
    return bool(django_rq.get_connection("default").exists(_key(sweep_id, seen, count)))


def ask_once(sweep_id: int) -> bool:
    """Tell whether nobody has asked for the sweep since `answer`."""
    asked = django_rq.get_connection("default").set(
        _asked_key(sweep_id), 1, nx=True, ex=_ASKED_SECONDS
    )
    return bool(asked)


def answer(sweep_id: int) -> None:
    """Let the next one ask: what changes from now on is not in the answer that begins."""
    django_rq.get_connection("default").delete(_asked_key(sweep_id))


def _key(sweep_id: int, seen: Seen, count: int) -> str:
    # Another version of the studio may suggest something else.
    return f"suggestions-{VERSION}-{sweep_id}-{count}-{seen.fingerprint}"


def _asked_key(sweep_id: int) -> str:
    return f"suggestions-asked-{sweep_id}"
