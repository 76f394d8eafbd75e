"""Django's ASGI handler, with all that is done for a request in one call of one thread.

By itself the handler goes from the event loop to a thread and back for every middleware that knows
both worlds, and each way waits for whoever computes. No view of the studio is asynchronous.

Requests take turns. Pages and what people do come first: what an open page asks for to stay current
never takes all turns.
"""

from __future__ import annotations

from typing import Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from studio.request_threads import Turns

# Requests that are worked on at once; the others wait for their turn, first come first served.
_AT_ONCE: Final = 3
# So many of them may be what pages fetch by themselves.
_FETCHED_AT_ONCE: Final = 2
# Nobody waits longer for a turn than these seconds: some wait for a lock, or take long.
_PATIENCE: Final = 1.0


class OneCallHandler(ASGIHandler):
    """Answers each request by the synchronous chain of middleware, when it is its turn."""

    def __init__(self) -> None:
        super().__init__()
        self._turns = Turns(_AT_ONCE, _PATIENCE)
        self._fetches = Turns(_FETCHED_AT_ONCE, _PATIENCE)

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the synchronous chain, whatever is asked for."""
        del is_async
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return what the chain answers, in the thread of the request."""
        answer = self._answer_fetch if is_fetch(request) else self._answer
        response: HttpResponseBase = await sync_to_async(answer, thread_sensitive=True)(request)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        return self._turns.take(self.get_response, request)

    def _answer_fetch(self, request: HttpRequest) -> HttpResponseBase:
        return self._fetches.take(self._answer, request)


def is_fetch(request: HttpRequest) -> bool:
    """Whether a script reads something: browsers ask for pages as HTML, and only reading waits."""
    is_page = "text/html" in request.headers.get("Accept", "")
    return request.method in ("GET", "HEAD") and not is_page
