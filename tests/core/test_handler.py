"""A request is one call of its thread, however many middlewares there are."""

from __future__ import annotations

import asyncio
import threading

from asgiref.testing import ApplicationCommunicator
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from studio.handler import OneCallHandler
from studio.request_threads import in_kept_threads

seen: list[int] = []


def answer(request):
    seen.append(threading.get_ident())
    return HttpResponse("here")


urlpatterns = [path("here/", answer)]


def noting(get_response):
    def middleware(request):
        seen.append(threading.get_ident())
        return get_response(request)

    return middleware


# Between two that also know the asynchronous world, as it is in the settings.
CHAIN = [
    "django.middleware.security.SecurityMiddleware",
    f"{__name__}.noting",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]


@override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=CHAIN)
def test_request_is_one_call_of_its_thread(monkeypatch):
    returns: list[object] = []

    async def ask() -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        usual = loop.call_soon_threadsafe

        def count(callback, *arguments, context=None):
            returns.append(callback)
            return usual(callback, *arguments, context=context)

        monkeypatch.setattr(loop, "call_soon_threadsafe", count)
        application = in_kept_threads(OneCallHandler())
        headers = [(b"host", b"testserver")]
        scope = {"type": "http", "method": "GET", "path": "/here/", "headers": headers}
        client = ApplicationCommunicator(application, scope)
        await client.send_input({"type": "http.request"})
        start = await client.receive_output(10)
        body = await client.receive_output(10)
        await client.wait(10)
        return start["status"], body["body"]

    seen.clear()

    assert asyncio.run(ask()) == (200, b"here")
    assert len(set(seen)) == 1
    assert len(seen) == 2
    assert threading.get_ident() not in seen
    # What Django tells before and after, the request, and giving the thread back.
    assert len(returns) == 4
