"""What every answer tells browsers, over TLS and without, and that no view weakens it."""

from __future__ import annotations

import pytest

from studio.env import origin_of
from studio.middleware import HEADERS, HSTS, POLICY

pytestmark = pytest.mark.django_db
ADDRESSES = (
    "/sign-in/",
    "/healthz",
    "/metrics",
    "/no/such/page/",
    "/static/css/tokens.css",
    "/admin/",
    "/api/v1/sweeps",
    "/api/v1/no/such",
    "/api/2.0/mlflow-artifacts/artifacts",
    "/shared/not-a-link/",
)
OUTSIDE = "studio.example"


@pytest.fixture
def outside(client, settings):
    """Ask as people on other machines do, through a proxy that speaks TLS or does not."""
    settings.ALLOWED_HOSTS = [OUTSIDE, "localhost"]

    def get(address, *, host=OUTSIDE, secure=True):
        return client.get(address, secure=secure, headers={"host": host})

    return get


def test_every_answer_keeps_scripts_and_other_sites_away(outside):
    for address in ADDRESSES:
        headers = outside(address).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS, address
        assert headers["X-Content-Type-Options"] == "nosniff", address
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", address
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), address
        assert headers[HSTS].startswith("max-age=31536000"), address
        assert "Access-Control-Allow-Origin" not in headers, address
    assert outside("/sign-in/").headers["X-Frame-Options"] == "DENY"
    assert "unsafe" not in POLICY.split("style-src")[0]


def test_cookies_that_came_over_tls_stay_there(outside):
    cookie = outside("/sign-in/").cookies["csrftoken"]

    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"
    assert not outside("/sign-in/", secure=False).cookies["csrftoken"]["secure"]


def test_a_studio_with_tls_has_secure_cookies_also_behind_a_proxy_that_does_not_say_so(
    outside, settings
):
    settings.CSRF_COOKIE_SECURE = True

    assert outside("/sign-in/", secure=False).cookies["csrftoken"]["secure"]


def test_its_own_machine_is_served_without_tls_and_promised_none(outside, settings):
    settings.CSRF_COOKIE_SECURE = True

    answer = outside("/sign-in/", host="localhost:8000", secure=False)

    assert not answer.cookies["csrftoken"]["secure"]
    assert HSTS not in answer.headers
    over_tls = outside("/sign-in/", host="localhost:8443")
    assert over_tls.cookies["csrftoken"]["secure"]
    # It would shut off every other server of this machine.
    assert HSTS not in over_tls.headers


def test_no_other_host_is_answered(client, settings):
    settings.ALLOWED_HOSTS = [OUTSIDE]

    # Links in e-mails are made of the name that was asked for.
    assert client.get("/sign-in/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://studio.example/tuning", "https://studio.example"),
        ("https://studio.example:8443", "https://studio.example:8443"),
    ],
)
def test_origin_of_a_public_address(url, origin):
    assert origin_of(url) == origin
