"""A request is one call of its thread, however many middlewares there are."""

from __future__ import annotations

import asyncio
import threading

from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from studio.handler import OneCallHandler, is_fetch
from studio.request_threads import in_kept_threads

seen: list[int] = []


def answer(request):
    seen.append(threading.get_ident())
    return HttpResponse("here")


waiting: list[int] = []
is_over = threading.Event()


def answer_late(request):
    waiting.append(threading.get_ident())
    is_over.wait(60)
    return HttpResponse("long")


urlpatterns = [path("here/", answer), path("long/", answer_late)]


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
        async with asyncio.timeout(60):
            # The thread is given back last.
            while len(returns) < 4:
                await asyncio.sleep(0.01)
        return start["status"], body["body"]

    seen.clear()

    assert asyncio.run(ask()) == (200, b"here")
    assert len(set(seen)) == 1
    assert len(seen) == 2
    assert threading.get_ident() not in seen
    # What Django tells before and after, the request, and giving the thread back.
    assert len(returns) == 4


def asked(method: str, accept: str) -> HttpRequest:
    request = HttpRequest()
    request.method = method
    request.META["HTTP_ACCEPT"] = accept
    return request


def test_what_a_page_fetches_can_wait_and_what_people_do_cannot():
    assert is_fetch(asked("GET", "application/json"))
    assert is_fetch(asked("GET", "*/*"))
    assert not is_fetch(asked("GET", "text/html,application/xhtml+xml,*/*;q=0.8"))
    assert not is_fetch(asked("POST", "application/json"))


@override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[])
def test_page_is_answered_while_fetches_take_long():
    handler = OneCallHandler()

    async def ask(accept: str, path: str) -> bytes:
        headers = [(b"host", b"testserver"), (b"accept", accept.encode())]
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
        client = ApplicationCommunicator(in_kept_threads(handler), scope)
        await client.send_input({"type": "http.request"})
        await client.receive_output(60)
        body = (await client.receive_output(60))["body"]
        await client.wait(60)
        return body

    async def all_of_them() -> list[bytes]:
        fetches = [asyncio.create_task(ask("*/*", "/long/")) for _ in range(6)]
        while len(waiting) < 2:
            await asyncio.sleep(0.01)
        page = await ask("text/html", "/here/")
        is_over.set()
        return [page, *await asyncio.gather(*fetches)]

    is_over.clear()
    assert asyncio.run(all_of_them()) == [b"here", *[b"long"] * 6]
