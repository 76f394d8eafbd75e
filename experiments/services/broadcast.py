"""Send hints to browsers through the channel layer; hints may be lost, so nothing here ever raises.

The message is published straight to Redis in the pub/sub layer's own format: the layer would open
an event loop and a connection for every call from synchronous code.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings

logger = logging.getLogger(__name__)

_TIMEOUT: Final = 1.0
# While Redis is away every call would wait for its timeout: skip hints for a moment instead.
_PAUSE_AFTER_FAILURE: Final = 2.0


def publish(groups: Sequence[str], message: dict[str, Any]) -> bool:
    """Send `message` to channel groups; tell whether Redis took it. Never raises."""
    if time.monotonic() < _state.paused_until:
        return False
    try:
        _send(groups, message)
    except Exception as error:  # noqa: BLE001 - a lost hint must not break the write it tells of
        _state.paused_until = time.monotonic() + _PAUSE_AFTER_FAILURE
        logger.warning("live update of %s not sent: %s", ", ".join(groups), error)
        return False
    return True


def _send(groups: Sequence[str], message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if isinstance(layer, RedisPubSubChannelLayer):
        prefix = _layer_config().get("prefix", "asgi")
        words = layer.serialize(message)
        with _client().pipeline(transaction=False) as pipeline:  # one way there and back
            for group in groups:
                pipeline.publish(f"{prefix}__group__{group}", words)
            pipeline.execute()
    elif layer is not None:
        for group in groups:
            async_to_sync(layer.group_send)(group, message)


class _State:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clients: dict[str, redis.Redis] = {}
        self.paused_until = 0.0


_state: Final = _State()


def _client() -> redis.Redis:
    # One client per address; its pool notices a fork and opens connections of its own there.
    host = _layer_config()["hosts"][0]
    url = host["address"] if isinstance(host, dict) else host
    with _state.lock:
        if url not in _state.clients:
            _state.clients[url] = redis.Redis.from_url(
                url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
            )
        return _state.clients[url]


def _layer_config() -> dict[str, Any]:
    layers: dict[str, Any] = dict(settings.CHANNEL_LAYERS)
    return dict(layers["default"].get("CONFIG", {}))
