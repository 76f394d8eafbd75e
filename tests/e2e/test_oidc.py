"""Single sign-on of a whole studio below a prefix, with a real provider over HTTP."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.openid_provider import CLIENT, SECRET, Provider, openid_provider
from tests.servers import LiveStudio

pytestmark = pytest.mark.slow
ADA = {"sub": "1", "email": "ada@example.org", "email_verified": True, "name": "Ada Lovelace"}
_OPEN = "from experiments.services.site import change_site; change_site(by=None, sign_up='open')"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with openid_provider() as made:
        yield made


@pytest.fixture(scope="module")
def studio(provider: Provider) -> Iterator[LiveStudio]:
    """A studio without workers: nobody runs anything here."""
    home = Path(tempfile.mkdtemp(prefix="studio-oidc-"))
    made = LiveStudio(
        home,
        workers=0,
        STUDIO_BASE_PATH="/lab",
        STUDIO_OIDC_ISSUER=provider.url,
        STUDIO_OIDC_CLIENT_ID=CLIENT,
        STUDIO_OIDC_CLIENT_SECRET=SECRET,
        STUDIO_OIDC_NAME="Example ID",
        STUDIO_OIDC_ADMIN_GROUP="studio-admins",
    )
    made.start()
    made.run_python(f"import django; django.setup(); {_OPEN}")
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """A browser without pictures."""
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        yield client


def come_in(browser: httpx.Client, studio: LiveStudio, target: str = "/lab/account/"):
    return browser.get(f"{studio.url}/single-sign-on/", params={"next": target})


def test_somebody_comes_in_by_the_button_and_is_the_same_the_next_time(studio, provider, browser):
    provider.be_honest(**ADA, preferred_username="ada.l")
    page = browser.get(f"{studio.url}/sign-in/", params={"next": "/lab/account/tokens/"}).text
    assert "Sign in with Example ID" in page

    arrived = come_in(browser, studio, "/lab/account/tokens/")
    assert (arrived.status_code, arrived.url.path) == (200, "/lab/account/tokens/")
    account = browser.get(f"{studio.url}/account/").text
    assert "ada.l" in account
    assert "Ada Lovelace" in account
    assert "by single sign-on" in browser.get(f"{studio.url}/account/sessions/").text
    # Another address and another name, but the same subject: the same account, no administrator.
    provider.be_honest(**ADA | {"email": "ada@example.net", "name": "Ada King"})
    with httpx.Client(follow_redirects=True, timeout=60) as other:
        account = come_in(other, studio).text
        assert "ada.l" in account
        assert other.get(f"{studio.url}/admin/").status_code == 403
        # The group of the provider decides, each time.
        provider.be_honest(**ADA, groups=["studio-admins"])
        come_in(other, studio)
        assert other.get(f"{studio.url}/admin/").status_code == 200
        provider.be_honest(**ADA, groups=[])
        come_in(other, studio)
        assert other.get(f"{studio.url}/admin/").status_code == 403


def test_target_elsewhere_is_not_followed(studio, provider, browser):
    provider.be_honest(**ADA)

    assert (
        urlsplit(str(come_in(browser, studio, "//evil.example/").url)).netloc
        == urlsplit(studio.url).netloc
    )


LIES = {
    "wrong issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "wrong audience": lambda claims: claims | {"aud": "somebody-else"},
    "several audiences": lambda claims: claims | {"aud": [CLIENT, "somebody-else"]},
    "wrong nonce": lambda claims: claims | {"nonce": "of-another-sign-in"},
    "no nonce": lambda claims: {k: v for k, v in claims.items() if k != "nonce"},
    "expired": lambda claims: claims | {"exp": int(time.time()) - 600},
    "from the future": lambda claims: claims | {"nbf": int(time.time()) + 600},
    "nobody": lambda claims: {k: v for k, v in claims.items() if k != "sub"},
}


def test_every_lie_of_a_provider_is_refused(studio, provider, browser):
    for what, bend in LIES.items():
        provider.be_honest(**ADA)
        provider.bend = bend
        answer = come_in(browser, studio)
        assert answer.status_code == 403, what
        assert "did not answer as it should" in answer.text, what
    provider.be_honest(**ADA)
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert come_in(browser, studio).status_code == 403
    provider.be_honest(**ADA)
    provider.discovery = {"issuer": "https://evil.example"}
    assert come_in(browser, studio).status_code == 403
    provider.be_honest(**{k: v for k, v in ADA.items() if k != "email"})
    provider.userinfo = {"sub": "2", "email": "root@example.org", "email_verified": True}
    assert come_in(browser, studio).status_code == 403
    assert browser.get(f"{studio.url}/account/", follow_redirects=False).status_code == 302


def test_answer_that_this_browser_did_not_ask_for_is_refused(studio, provider, browser):
    provider.be_honest(**ADA)
    begun = browser.get(f"{studio.url}/single-sign-on/", follow_redirects=False)
    asked = parse_qs(urlsplit(begun.headers["Location"]).query)
    back = browser.get(begun.headers["Location"], follow_redirects=False).headers["Location"]
    assert asked["code_challenge_method"] == ["S256"]
    assert back.startswith(f"{studio.url}/single-sign-on/callback/?")

    with httpx.Client(follow_redirects=True, timeout=60) as victim:
        assert victim.get(back).status_code == 403
        assert victim.get(back.replace("state=", "state=x")).status_code == 403
    # Whoever asked comes in with it, once.
    assert browser.get(back).status_code == 200
    assert browser.get(back, follow_redirects=False).status_code == 403
    denied = browser.get(f"{studio.url}/single-sign-on/callback/?error=access_denied")
    assert denied.status_code == 403


def test_unverified_address_gets_no_account_and_links_none(studio, provider, browser):
    provider.be_honest(**ADA | {"sub": "3", "email": "eve@example.org", "email_verified": False})
    assert "not verified your address" in come_in(browser, studio).text
    # Ada has this one.
    provider.be_honest(**ADA | {"sub": "4", "email_verified": False})
    assert "an account here has it" in come_in(browser, studio).text
