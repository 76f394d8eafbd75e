"""E-mails about an account: prepared in a request, sent beside it.

A thread sends them, so that how long a page takes tells nobody whether an address has an account.
What cannot be sent is tried twice more; then whoever waits for it asks again. The links in them
are secrets, so nothing of a message is stored or logged.
"""

from __future__ import annotations

import logging
import queue
import smtplib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from experiments.notify.mail_server import MailServer
from experiments.notify.texts import one_line
from experiments.services.site import site
from experiments.services.smtp import backend_of

logger = logging.getLogger(__name__)

_WAITS: Final = (2.0, 20.0)
_MOST_WAITING: Final = 500


@dataclass(frozen=True, slots=True)
class AccountMail:
    """One message: what it is about, what it says, and the link that does something."""

    to: str
    title: str
    lines: Sequence[str]
    url: str = ""
    button: str = ""


def sends_mail() -> bool:
    """Tell whether this studio has a mail server."""
    return settings.STUDIO_MAIL_SERVER is not None


def send_later(mail: AccountMail) -> bool:
    """Give a message to the thread that sends; False where nothing can be sent."""
    server = settings.STUDIO_MAIL_SERVER
    if server is None:
        return False
    try:
        _outbox.waiting.put_nowait((server, _message(mail, server)))
    except queue.Full:
        logger.error("An e-mail about an account is dropped: %d wait to be sent.", _MOST_WAITING)
        return False
    _outbox.start()
    return True


class _Outbox:
    def __init__(self) -> None:
        self.waiting: queue.Queue[tuple[MailServer, EmailMultiAlternatives]] = queue.Queue(
            _MOST_WAITING
        )
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        with self.lock:
            # A fork has the object and not its thread.
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._send_all, name="account-mail")
                self.thread.daemon = True
                self.thread.start()

    def _send_all(self) -> None:
        while True:
            server, message = self.waiting.get()
            _send(server, message)


_outbox: Final = _Outbox()


def _send(server: MailServer, message: EmailMultiAlternatives) -> None:
    for wait in (*_WAITS, None):
        try:
            backend_of(server).send_messages([message])
            return
        except (OSError, smtplib.SMTPException) as error:
            # Only the kind: what the server says may quote the address.
            logger.warning("%s takes no e-mail: %s", server.host, type(error).__name__)
        if wait is not None:
            time.sleep(wait)


def _message(mail: AccountMail, server: MailServer) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=f"[{one_line(site().name, 40)}] {mail.title}",
        body="\n\n".join([*mail.lines, *([mail.url] if mail.url else [])]) + "\n",
        from_email=server.sender,
        to=[mail.to],
        headers={"Auto-Submitted": "auto-generated"},
    )
    html = render_to_string("experiments/account_mail.html", {"mail": mail})
    message.attach_alternative(html, "text/html")
    return message
