"""A studio below a prefix, behind a proxy that keeps the prefix and behind one that strips it."""

from __future__ import annotations

import http.cookiejar
import re
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def studio() -> Iterator[LiveStudio]:
    home = Path(tempfile.mkdtemp(prefix="studio-prefix-"))
    studio = LiveStudio(home, workers=0, STUDIO_BASE_PATH="/team/studio")
    studio.start()
    yield studio
    studio.stop()
    shutil.rmtree(home, ignore_errors=True)


class Visitor:
    """Somebody with cookies who has followed a sign-in link."""

    def __init__(self, studio: LiveStudio) -> None:
        self.jar = http.cookiejar.CookieJar()
        handler = urllib.request.HTTPCookieProcessor(self.jar)
        self.opener = urllib.request.build_opener(handler)
        self.page, self.address = self.read(studio.sign_in_link())

    def read(self, url: str) -> tuple[str, str]:
        with self.opener.open(url, timeout=10) as answer:
            return answer.read().decode(), answer.url


@pytest.fixture(scope="module")
def visitor(studio) -> Visitor:
    return Visitor(studio)


def test_sign_in_link_leads_to_the_dashboard_below_the_prefix(studio, visitor):
    assert visitor.address == f"{studio.url}/dashboard/"
    assert {cookie.path for cookie in visitor.jar} == {"/team/studio"}


def test_every_address_of_a_page_has_the_prefix_and_answers(studio, visitor):
    found = set(re.findall(r'(?:href|src|action)="(/[^"#]*)"', visitor.page))

    assert found
    assert [address for address in found if not address.startswith("/team/studio/")] == []
    # What a form sends is not for reading; that it is told so shows that the address exists.
    sent = set(re.findall(r'(?:method="post"[^>]* |form)action="(/[^"]*)"', visitor.page))
    for address in found - sent:
        visitor.read(f"http://127.0.0.1:{studio.port}{address}")
    for address in sent:
        with pytest.raises(urllib.error.HTTPError, match="405"):
            visitor.read(f"http://127.0.0.1:{studio.port}{address}")


@pytest.mark.parametrize("kept", ["/team/studio", ""], ids=["kept", "stripped"])
def test_pages_api_and_sockets_answer_whatever_the_proxy_does(studio, visitor, kept):
    cookie = "; ".join(f"{item.name}={item.value}" for item in visitor.jar)
    base = f"127.0.0.1:{studio.port}{kept}"
    request = urllib.request.Request(f"http://{base}/sweeps/", headers={"Cookie": cookie})

    with urllib.request.urlopen(request, timeout=10) as answer:
        page = answer.read().decode()
    with urllib.request.urlopen(f"http://{base}/healthz", timeout=10) as answer:
        health = answer.read()
    headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{studio.port}"}
    with connect(f"ws://{base}/ws/sweeps/", additional_headers=headers) as socket:
        is_open = socket.ping().wait(5)

    assert 'href="/team/studio/sweeps/new/"' in page
    assert b'"ok"' in health
    assert is_open
    assert studio.api("/sweeps")["items"] == []
