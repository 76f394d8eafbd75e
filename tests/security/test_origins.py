"""Sockets open for pages of the studio itself: not for other sites, nor for other programs here."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from studio.asgi import application
from studio.socket_origin import _origin, is_own_origin
from tests.factories import make_sweep, make_user, make_workspace

PUBLIC = _origin("https://studio.example/tuning")
OWN = [
    ("http://localhost:8000", "localhost:8000", False),
    ("http://127.0.0.1:8000", "127.0.0.1:8000", False),
    ("http://[::1]:8000", "[::1]:8000", False),
    ("https://studio.example", "studio.example", True),
    ("https://STUDIO.example:443", "studio.example", True),
    ("https://studio.example:8443", "studio.example:8443", True),
    # A proxy that does not say that it was asked over TLS.
    ("https://studio.example", "studio.example", False),
    # A proxy that asks for its own name, where the public one is known.
    ("https://studio.example", "10.0.0.7:8000", False),
]
FOREIGN = [
    ("", "localhost:8000", False),
    ("null", "localhost:8000", False),
    ("file://", "localhost:8000", False),
    ("https://evil.example", "studio.example", True),
    ("https://studio.example.evil.example", "studio.example", True),
    ("https://evilstudio.example", "studio.example", True),
    ("https://studio.example@evil.example", "studio.example", True),
    ("https://other.studio.example", "studio.example", True),
    ("http://studio.example", "studio.example", True),
    ("http://localhost:9000", "localhost:8000", False),
    ("http://localhost", "127.0.0.1:8000", False),
    ("http://localhost:99999", "localhost:8000", False),
    ("http://studio.example", "10.0.0.7:8000", False),
]


@pytest.mark.parametrize(("origin", "host", "is_secure"), OWN)
def test_own_page(origin, host, is_secure):
    assert is_own_origin(origin, host, is_secure=is_secure, public=PUBLIC)


@pytest.mark.parametrize(("origin", "host", "is_secure"), FOREIGN)
def test_foreign_page(origin, host, is_secure):
    assert not is_own_origin(origin, host, is_secure=is_secure, public=PUBLIC)


@pytest.mark.django_db(transaction=True)
def test_socket_of_another_origin_is_refused_before_anything_is_read():
    alice = make_user("alice")
    sweep = make_sweep(owner=alice, workspace=make_workspace(alice))
    browser = Client()
    browser.force_login(alice)
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()

    async def answer(path, origin, host=b"localhost:8000"):
        headers = [(b"host", host), (b"cookie", cookie)]
        scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": path,
            "query_string": b"",
            "headers": headers + ([(b"origin", origin)] if origin else []),
            "subprotocols": [],
        }
        socket = ApplicationCommunicator(application, scope)
        await socket.send_input({"type": "websocket.connect"})
        first = (await socket.receive_output(timeout=20))["type"]
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(timeout=20)
        return first

    async def all_of_them():
        found = {}
        for path in ("/ws/sweeps/", f"/ws/sweeps/{sweep.public_id}/"):
            for origin in (b"http://localhost:8000", b"http://localhost:9000", b"null", b"",
                           b"https://evil.example"):  # fmt: skip
                found[path, origin] = await answer(path, origin)
            # A name of the attacker's that was bent to this machine.
            bent = await answer(path, b"http://evil.example:8000", b"evil.example:8000")
            found[path, b"bent"] = bent
        return found

    found = asyncio.run(all_of_them())

    for (_, origin), first in found.items():
        is_own = origin == b"http://localhost:8000"
        assert first == ("websocket.accept" if is_own else "websocket.close"), origin
