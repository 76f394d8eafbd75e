"""Sockets and MLflow's way past the middleware, through the whole ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.db import connections

from studio.asgi import application
from tests.authorisation.judging import assert_as_written, assert_complete, wrong_cells
from tests.authorisation.routes import sockets
from tests.authorisation.sender import Credentials, Sender, path_of
from tests.authorisation.table import Row, section
from tests.authorisation.test_operations import mlflow_call
from tests.authorisation.world import make_world

pytestmark = pytest.mark.django_db(transaction=True)
_SECONDS: Final = 20
_HOST: Final = "localhost"
# What stands for the parameter of a socket, by what the row says after "#".
_OTHER_ORIGIN: Final = "https://elsewhere.example.org"


def test_every_socket_has_a_row() -> None:
    assert_complete("socket", sockets(), {route.partition("@")[0] for _, route in _socket_rows()})


def test_sockets_and_mlflow_answer_as_the_table_says(studio: None, settings: Any) -> None:
    sender = Sender(make_world(settings.STUDIO_STORAGE_ROOT))
    answers: dict[tuple[tuple[str, str], str], str] = {}
    rows = list(_socket_rows().values())
    # Nothing is undone here, so those who may change something do not.
    calls = [
        Row(
            row.key, {who: status for who, status in row.cells.items() if _is_harmless(row, status)}
        )
        for row in section("mlflow").rows.values()
    ]

    async def scenario() -> None:
        for row in rows:
            for actor in row.cells:
                answers[row.key, actor] = await _socket(sender, row.key[1], actor)
        for row in calls:
            for actor in row.cells:
                answers[row.key, actor] = await _call(sender, row, actor)
        await database_sync_to_async(connections.close_all)()

    asyncio.run(scenario())

    assert_as_written(wrong_cells([*rows, *calls], lambda row, actor: answers[row.key, actor]))


def _is_harmless(row: Row, status: str) -> bool:
    return row.key[0] == "GET" or int(status) >= 400


def _socket_rows() -> Mapping[tuple[str, str], Row]:
    return section("sockets").rows


async def _socket(sender: Sender, route: str, actor: str) -> str:
    """Return "open", the code that the socket was closed with, or "refused" before that."""
    address, _, which = route.partition("@")
    is_other = actor == "other-site"
    given = sender.by_session("owner" if is_other else actor)
    origin = _OTHER_ORIGIN if is_other else f"http://{_HOST}"
    scope = {
        "type": "websocket",
        "path": f"/{path_of(address, {'sweep_id': sender.world.ids.get(which, '')})}",
        "query_string": b"",
        "headers": [*_headers(given), (b"origin", origin.encode())],
        "subprotocols": [],
    }
    socket = ApplicationCommunicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    first = await socket.receive_output(timeout=_SECONDS)
    if first["type"] != "websocket.accept":
        return "refused"
    # The list says nothing while nothing changes; the socket of a sweep greets.
    outcome = "open"
    if which or actor in ("anonymous", "token"):
        message = await socket.receive_output(timeout=_SECONDS)
        if message["type"] == "websocket.close":
            outcome = str(message["code"])
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(timeout=_SECONDS)
    return outcome


async def _call(sender: Sender, row: Row, actor: str) -> str:
    request = mlflow_call(sender.world, *row.key)
    path, _, query = request.path.partition("?")
    scope = {
        "type": "http",
        "method": request.method,
        "path": path,
        "query_string": query.encode(),
        "headers": _headers(sender.by_token(actor)),
    }
    call = ApplicationCommunicator(application, scope)
    await call.send_input({"type": "http.request", "body": request.body or b""})
    answer = await call.receive_output(timeout=_SECONDS)
    await call.wait(timeout=_SECONDS)
    return str(answer["status"])


def _headers(given: Credentials) -> list[tuple[bytes, bytes]]:
    cookies = "; ".join(f"{name}={value}" for name, value in given.cookies.items())
    headers = {"host": _HOST, **({"cookie": cookies} if cookies else {}), **given.headers}
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
