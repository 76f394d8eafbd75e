"""The pure parts of notifications: addresses, waits, words."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from experiments.notify.addresses import AddressRefused, is_public, mask_url, read_url
from experiments.notify.mail_server import MailServerError, is_mail_address, parse_mail_server
from experiments.notify.signing import derive_secret, signed_headers
from experiments.notify.texts import reading_of, slack_message
from experiments.notify.waits import MOST_ATTEMPTS, wait_before

PRIVATE = (
    "127.0.0.1 127.9.9.9 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 "
    "224.0.0.1 255.255.255.255 198.18.0.1 192.0.2.1 :: ::1 fe80::1 fe80::1%eth0 fc00::1 fd12::1 "
    "ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: 2001:0:1::1 "
    "2001:db8::1 localhost"
)
WRONG_URLS = {
    "ftp://example.org/": "https or http",
    "file:///etc/passwd": "https or http",
    "example.org/hook": "https or http",
    "//example.org/hook": "https or http",
    "https:///path": "no host",
    "http://:80/": "no host",
    "http://example.org:0/": "no host",
    "http://example.org:99999/": "cannot be read",
    "http://[::1/": "cannot be read",
    "http://user:pass@example.org/": "user name or password",
    "http://example.org/#part": "after #",
    "http://example.org/a b": "blank",
    "http://example.org/\r\nX-Evil: 1": "blank",
    "http://exämple.org/": "blank",
    "http://exa<mple.org/": "no name",
    "http://example.org\\@127.0.0.1/": "user name or password",
    "http://example.org/" + "a" * 2000: "at most 2000",
    "http://localhost:8000/": "private",
    "http://LOCALHOST./": "private",
    "http://redis.internal/": "private",
    "http://127.0.0.1/": "private",
    "http://169.254.169.254/latest/meta-data/": "private",
    "http://[::1]:6379/": "private",
    "http://[::ffff:10.0.0.1]/": "private",
}


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_inside_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(("url", "said"), WRONG_URLS.items())
def test_url_that_no_webhook_may_have_is_refused_with_the_reason(url, said):
    with pytest.raises(AddressRefused, match=said):
        read_url(url, allow_private=False)


def test_url_is_taken_apart_and_shown_without_its_secret_path():
    target = read_url(" https://Hooks.example.org:8443/T0/B1?a=1 ", allow_private=False)

    assert (target.host, target.port, target.path) == ("hooks.example.org", 8443, "/T0/B1?a=1")
    assert target.host_header == "hooks.example.org:8443"
    assert read_url("http://[::1]/", allow_private=True).host_header == "[::1]"
    assert mask_url("https://hooks.example.org/services/T0/B1/secret") == (
        "https://hooks.example.org/…cret"
    )


def test_waits_grow_with_jitter_and_end_within_two_days():
    least = [wait_before(n, luck=0) for n in range(1, MOST_ATTEMPTS)]
    most = [wait_before(n, luck=0.999) for n in range(1, MOST_ATTEMPTS)]

    assert least == sorted(least)
    assert all(1.6 < high / low < 1.7 for low, high in zip(least, most, strict=True))
    assert sum(most) < 2 * 24 * 3600
    assert wait_before(1, luck=0.5, asked=120) == 120
    assert wait_before(1, luck=0.5, asked=1e9) < 24 * 3600


def test_the_same_message_has_the_same_signature_and_two_secrets_sign_both():
    one, other = derive_secret("root", "a"), derive_secret("root", "b")
    facts = {"message_id": "msg_1", "timestamp": 1, "body": b"{}"}

    both = signed_headers([one, other], **facts)["webhook-signature"].split()

    assert one != other != derive_secret("another root", "b")
    assert both == [signed_headers([s], **facts)["webhook-signature"] for s in (one, other)]


def test_the_receiver_of_the_docs_takes_what_is_signed_here_and_nothing_else():
    page = (Path(__file__).resolve().parents[2] / "docs/reference/notifications.md").read_text()
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", page, re.S))
    receiver: dict[str, Any] = {}
    exec(code, receiver)
    verify, now = receiver["verify"], int(time.time())
    secret, other, body = derive_secret("root", "a"), derive_secret("root", "b"), b'{"type": "a"}'

    def signed(secrets, timestamp=now):
        return signed_headers(secrets, message_id="msg_1", timestamp=timestamp, body=body)

    assert verify(secret, signed([secret]), body) == {"type": "a"}
    assert verify(other, signed([secret, other]), body) == {"type": "a"}
    for headers, content in (
        (signed([other]), body),
        (signed([secret]), b'{"type": "b"}'),
        (signed([secret]) | {"webhook-id": "msg_2"}, body),
        (signed([secret]) | {"webhook-timestamp": str(now - 1)}, body),
    ):
        with pytest.raises(ValueError, match="signature"):
            verify(secret, headers, content)
    with pytest.raises(ValueError, match="too old"):
        verify(secret, signed([secret], now - 6 * 60), body)


def test_texts_of_people_cannot_leave_their_line_or_become_markup():
    data = {
        "message": "why\r\nBcc: x",
        "url": "http://studio/sweeps/1/",
        "workspace": {"name": "Team"},
        "sweep": {
            "name": "a\r\nBcc: evil@example.org <b>|*x*",
            "experiment": "e", "owner": None, "status": "Completed", "end_reason": "max_runs",
            "metric": "loss", "goal": "minimize", "duration": 61.0,
        },
        "runs": {"completed": 3},
        "best_run": {"id": "r", "number": 2, "value": "NaN", "hyperparameters": {"lr": 1e-05}},
    }  # fmt: skip
    body = {"type": "sweep.finished", "data": data}

    title = reading_of(body).title
    text = slack_message([body])["text"]

    assert title == "a Bcc: evil@example.org <b>|*x*: completed, best loss NaN"
    assert text.startswith("*<http://studio/sweeps/1/|a Bcc: evil@example.org &lt;b&gt;¦∗x∗:")
    assert len(slack_message([body] * 1000)["text"]) < 4000


def test_mail_server_is_read_from_its_address():
    server = parse_mail_server("smtps://me:p%40ss@mail.example.org?from=studio@example.org")

    assert server is not None
    assert (server.host, server.port, server.user, server.password) == (
        "mail.example.org", 465, "me", "p@ss"
    )  # fmt: skip
    assert (server.uses_tls, server.uses_starttls) == (True, False)
    assert "p@ss" not in repr(server)
    assert parse_mail_server("") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mail.example.org", "no address of a mail server"),
        ("smtp://mail.example.org", "no sender"),
        ("smtp://mail.example.org?from=nobody", "no sender"),
        ("smtp://me:secret@mail.example.org?from=a@b.org", "in the clear"),
        ("smtps://mail.example.org?from=a@b.org&tls=1", "has tls"),
        ("smtps://mail.example.org:x?from=a@b.org", "cannot be read"),
    ],
)
def test_mail_server_that_cannot_be_is_refused_without_its_password(text, said):
    with pytest.raises(MailServerError, match=said) as caught:
        parse_mail_server(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["a@b", "a.b+c@example.org"])
def test_mail_address_is_one(text):
    assert is_mail_address(text)


@pytest.mark.parametrize(
    "text", ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\nBcc: c@d", "a@b,c@d", "<a@b>", "é\x00@b"]
)
def test_what_is_no_mail_address_is_refused(text):
    assert not is_mail_address(text)
