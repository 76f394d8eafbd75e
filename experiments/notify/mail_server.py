"""The mail server that STUDIO_EMAIL_URL names: smtp://, smtp+tls:// (STARTTLS) or smtps://."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

FORMS: Final = (
    "smtp+tls://USER:PASSWORD@HOST:587?from=studio@example.org (STARTTLS), smtps://... (TLS from "
    "the start, port 465) or smtp://HOST:25?from=... (in the clear)"
)
_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class MailServerError(ValueError):
    """The address cannot be used; the sentence says why and holds no password."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is given to, and whom it comes from."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    uses_starttls: bool = False
    uses_tls: bool = False


def parse_mail_server(text: str) -> MailServer | None:
    """Return the server that a text names; nothing names none.

    Raises:
        MailServerError: it names no server that can be used.
    """
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise MailServerError(f"cannot be read; use {FORMS}.") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise MailServerError(f"is no address of a mail server; use {FORMS}.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and parts.scheme == "smtp" and parts.hostname not in _LOOPBACK:
        raise MailServerError(
            "would send its password in the clear; use smtp+tls:// or smtps:// with a user."
        )
    options = dict(parse_qsl(parts.query))
    sender = options.pop("from", "")
    if options:
        raise MailServerError(f"has {', '.join(sorted(options))} in its query; only from is known.")
    if not is_mail_address(parseaddr(sender)[1]):
        raise MailServerError("names no sender; end it with ?from=studio@example.org.")
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        sender=sender,
        user=user,
        password=password,
        uses_starttls=parts.scheme == "smtp+tls",
        uses_tls=parts.scheme == "smtps",
    )


def is_mail_address(text: str) -> bool:
    """Tell whether a text is one plain address, so that nothing in it can become a header."""
    name, at, host = text.rpartition("@")
    if not (name and at and host) or len(text) > 254 or not text.isprintable():
        return False
    return not any(char in ' \t,;:<>()[]\\"' for char in text) and "@" not in name
