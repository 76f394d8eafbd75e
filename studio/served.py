"""The application as `studio up` serves it: made ready for very many requests in one process.

Apart from `studio.asgi`, which may be imported anywhere and changes nothing in its process.
"""

from __future__ import annotations

from studio.asgi import application
from studio.heap import settle
from studio.request_threads import keep_connections

__all__ = ["application"]

keep_connections()
settle()
