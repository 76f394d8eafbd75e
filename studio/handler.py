"""Django's ASGI handler, with all that is done for a request in one call of one thread.

By itself the handler goes from the event loop to a thread and back for every middleware that knows
both worlds, and each way waits for whoever computes. No view of the studio is asynchronous.
"""

from __future__ import annotations

from typing import Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from studio.request_threads import Turns

# Requests that are worked on at once; the others wait for their turn, first come first served ...
_AT_ONCE: Final = 3
# ... but no longer than these seconds: some wait for a lock, or take long.
_PATIENCE: Final = 1.0


class OneCallHandler(ASGIHandler):
    """Answers each request by the synchronous chain of middleware, when it is its turn."""

    def __init__(self) -> None:
        super().__init__()
        self._turns = Turns(_AT_ONCE, _PATIENCE)

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the synchronous chain, whatever is asked for."""
        del is_async
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return what the chain answers, in the thread of the request."""
        answer = sync_to_async(self._turns.take, thread_sensitive=True)
        response: HttpResponseBase = await answer(self.get_response, request)
        return response
