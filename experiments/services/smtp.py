"""The connection to the mail server, for every kind of e-mail."""

from __future__ import annotations

from typing import Final

from django.core.mail.backends.smtp import EmailBackend

from experiments.notify.mail_server import MailServer

_SECONDS: Final = 15


def backend_of(server: MailServer) -> EmailBackend:
    """Return what sends through this server; it raises whatever goes wrong there."""
    return EmailBackend(
        host=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.uses_starttls,
        use_ssl=server.uses_tls,
        timeout=_SECONDS,
        fail_silently=False,
    )
