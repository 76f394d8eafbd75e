"""Sends a request as somebody and tells the status; what it changed in the database is undone."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode

from django.db import connection, transaction
from django.test import Client

from tests.authorisation.world import World

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
LOGIN: Final = "login"
# With where to go on; whoever signs out goes there without.
_LOGIN: Final = re.compile(r"/(sign-in|admin/login)/\?next=")
_WRITE: Final = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
# What is written about whoever asks: when a key was used last, and that it was refused.
_NOTES: Final = frozenset(
    {
        "django_session",
        "experiments_apitoken",
        "experiments_auditentry",
        "experiments_computetoken",
        "experiments_signedinsession",
    }
)
_CSRF: Final = "c" * 32
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>|\{(?:\w+:)?(\w+)\}")
# Who has the keys of somebody: what is tried with a session of the owner, or with no session.
_SESSION_OF: Final = {"forged": "owner", "session": "owner"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, whoever sends it."""

    method: str
    path: str
    body: Any = None
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Credentials:
    """What shows who asks: cookies of a browser, headers of a program or of a script."""

    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class _Client(Client):
    """Django's, without copies of all that templates were given."""

    def request(self, **request: Any) -> Any:
        """Answer as the server does: what fails is a 500."""
        return self.handler(self._base_environ(**request))


class Sender:
    """One client for all of them: it keeps nothing of what an answer says."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._client = _Client(enforce_csrf_checks=True)

    def by_session(self, actor: str) -> Credentials:
        """Return what a browser sends for this person, or nobody; "token" has only a token."""
        cookies, headers = {}, {}
        if actor != "forged":
            cookies["csrftoken"] = headers["X-CSRFToken"] = _CSRF
        if actor == "token":
            headers["Authorization"] = f"Bearer {self.world.tokens['owner']}"
        elif actor != "anonymous":
            cookies["sessionid"] = self.world.sessions[_SESSION_OF.get(actor, actor)]
        return Credentials(cookies, headers)

    def by_token(self, actor: str) -> Credentials:
        """Return what a program sends with the token of this name, or none."""
        if actor in _SESSION_OF:
            return self.by_session(actor)
        token = self.world.tokens.get(actor, "")
        assert token or actor == "anonymous", f"there is no token {actor!r}"
        return Credentials(headers={"Authorization": f"Bearer {token}"} if token else {})

    def status(self, request: Request, given: Credentials) -> str:
        """Return the status of the answer, LOGIN for a redirect to the page that signs in.

        What a refused request has written all the same stands behind it.
        """
        written: set[str] = set()
        with (
            connection.execute_wrapper(partial(_note_write, written)),
            self.answer(request, given) as response,
        ):
            is_login = _LOGIN.match(response.headers.get("Location", ""))
            found = LOGIN if is_login else str(response.status_code)
            is_refused = is_login or response.status_code >= 400
        extra = sorted(written - _NOTES) if is_refused else []
        return f"{found} after writing {', '.join(extra)}" if extra else found

    @contextmanager
    def answer(self, request: Request, given: Credentials) -> Iterator[Any]:
        """Give the answer; afterwards the database is as it was before."""
        self._client.cookies = SimpleCookie(dict(given.cookies))
        is_unsafe = request.method != "GET"
        with transaction.atomic():
            response = self._client.generic(
                request.method,
                request.path,
                _encoded(request),
                content_type=request.content_type,
                headers=dict(given.headers),
            )
            try:
                if response.streaming:
                    # To its end: the client closes what it has read.
                    deque(response, maxlen=0)
                yield response
            finally:
                transaction.set_rollback(True)
                if is_unsafe:
                    self.world.bring_files_back()


def path_of(address: str, values: Mapping[str, str]) -> str:
    """Return an address with its parameters replaced."""
    return _PARAMETER.sub(lambda match: str(values[match[1] or match[2]]), address)


def _note_write(written: set[str], execute: Callable[..., Any], sql: str, *args: Any) -> Any:
    if found := _WRITE.match(sql):
        written.add(found[1])
    return execute(sql, *args)


def _encoded(request: Request) -> Any:
    body = request.body
    if body is None or isinstance(body, bytes):
        return body or b""
    if request.content_type == FORM:
        return urlencode(body, doseq=True)
    return json.dumps(body)
