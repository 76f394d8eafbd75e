"""What notifications are sent to in tests: a web server and a mail server on loopback."""

from __future__ import annotations

import asyncio
import email.policy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from aiosmtpd.smtp import SMTP

from tests.loopback import serving


@dataclass
class Received:
    """One POST."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A web server that notes what it is sent; `answers` come first, then 200."""

    posts: list[Received] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    is_slow: bool = False
    port: int = 0

    def wait_for(self, count: int, seconds: float = 60) -> list[Received]:
        """Wait until so many came."""
        wait_until(lambda: len(self.posts) >= count, seconds)
        return self.posts


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition; fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A web server on a free port of loopback."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posts.append(Received(self.path, dict(self.headers), body))
            if kept.is_slow:
                self._drip()
                return
            status, headers, answer = kept.answers.pop(0) if kept.answers else (200, {}, b"ok")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _drip(self) -> None:
            try:
                self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
                while True:
                    self.wfile.write(b"a")
                    time.sleep(0.02)
            except OSError:
                return

        def log_message(self, *words: Any) -> None:
            return

    with serving(Handler) as port:
        kept.port = port
        kept.url = f"http://127.0.0.1:{port}/hook/a-secret-path"
        yield kept


@dataclass
class Mailbox:
    """A mail server that notes what it is given; `refusal` is said to every recipient."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusal: str = ""
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        parser = BytesParser(policy=email.policy.default)
        self.mails.append(cast(EmailMessage, parser.parsebytes(envelope.content)))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mail server on a free port of loopback."""
    box, loop = Mailbox(), asyncio.new_event_loop()
    starting = loop.create_server(lambda: SMTP(box, hostname="mail.test"), "127.0.0.1", 0)
    server = loop.run_until_complete(starting)
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(server.wait_closed())
        loop.close()
