"""Fixtures of all tests: real Valkey, SQLite or PostgreSQL, a live studio, a real Chromium.

The environment is set before Django reads its settings, so this module imports nothing of the
studio that would read them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import django
import pytest
from django.conf import settings
from hypothesis import settings as hypothesis_settings

from tests.servers import LiveStudio, Postgres, Valkey

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

_HOME = Path(tempfile.mkdtemp(prefix="studio-test-"))
_POSTGRES = Postgres() if os.environ.get("STUDIO_TEST_DATABASE") == "postgres" else None

for _name in list(os.environ):
    if _name.startswith(("STUDIO_", "DATABASE_", "REDIS_")) and not _name.startswith(
        ("STUDIO_TEST_", "STUDIO_REQUIRE_")
    ):
        del os.environ[_name]
os.environ["STUDIO_HOME"] = str(_HOME)
os.environ["DJANGO_SETTINGS_MODULE"] = "studio.settings"
if _POSTGRES is not None:
    os.environ["DATABASE_URL"] = _POSTGRES.url

# pytest-django leaves Django alone unless something has imported it by now.
django.setup()
# Pages name their files plainly here; a test of its own runs collectstatic.
settings.STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
# What makes passwords slow to guess makes every test with an account slow.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)

# The same examples in every run: a failure is never a matter of luck.
hypothesis_settings.register_profile("studio", derandomize=True, deadline=None)
hypothesis_settings.load_profile("studio")

_CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    # As on a machine without a graphics card: emulating one would keep a core busy by itself.
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL all the same
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start PostgreSQL before any test asks for the database."""
    if _POSTGRES is not None:
        _POSTGRES.start()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Throw away what the session made."""
    if _POSTGRES is not None:
        _POSTGRES.stop()
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def studio_home() -> Path:
    """The data folder of this test session."""
    return _HOME


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let tests with transactions empty the audit log, which its triggers refuse."""
    from django.db import connection

    triggers = {
        "sqlite": "DROP TRIGGER IF EXISTS audit_no_delete",
        "postgresql": "DROP TRIGGER IF EXISTS audit_no_truncate ON experiments_auditentry",
    }
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(triggers[connection.vendor])


@pytest.fixture(autouse=True)
def usual_site() -> None:
    """Begin every test with the settings of a new studio: known, so that nobody asks for them."""
    from experiments.queries import announcements, site_settings

    site_settings.remember(site_settings.Site(), seconds=3600.0)
    announcements.remember_announcements((), seconds=3600.0)


@pytest.fixture(scope="session", autouse=True)
def valkey() -> Iterator[Valkey]:
    """The Redis-protocol server of this test session."""
    server = Valkey(_HOME)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey_url(valkey: Valkey) -> str:
    """Its address."""
    return valkey.url


@pytest.fixture(scope="session")
def live_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStudio]:
    """A whole running studio, shared by the tests of the session."""
    home = Path(tempfile.mkdtemp(prefix="studio-live-"))
    # What webhooks of tests go to is on loopback.
    studio = LiveStudio(home, STUDIO_WEBHOOK_PRIVATE="1")
    studio.start()
    yield studio
    if studio.process is not None:
        studio.stop()
    shutil.rmtree(studio.home, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; without one the test is skipped, or fails where it is required."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("STUDIO_REQUIRE_BROWSER") == "1":
            pytest.fail("No Chromium on PATH although STUDIO_REQUIRE_BROWSER is 1.")
        pytest.skip("no Chromium on PATH")
    from playwright.sync_api import expect, sync_playwright

    # Two suites run side by side: what takes a moment may take a while.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visitors() -> dict[str, Any]:
    """The cookies of the administrator's last browser, by the address of the studio."""
    return {}


@pytest.fixture
def chromium_page(
    chromium: Browser, live_studio: LiveStudio, visitors: dict[str, Any]
) -> Iterator[Page]:
    """A page signed in as the administrator; console errors and foreign requests fail the test."""
    context = chromium.new_context(
        base_url=live_studio.url,
        viewport={"width": 1440, "height": 900},
        storage_state=visitors.get(live_studio.url),
    )
    # A test may have signed out.
    if not context.request.get("/account/password/", max_redirects=0).ok:
        context.request.get(live_studio.sign_in_link(), max_redirects=0)
        visitors[live_studio.url] = context.storage_state()
    page = context.new_page()
    faults: list[str] = []
    host = urlsplit(live_studio.url).netloc

    def note_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(f"{message.text} {message.location['url']}")

    def note_request(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
            faults.append(f"request to another host: {url}")

    page.on("console", note_message)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: note_request(request.url))
    yield page
    context.close()
    real = [fault for fault in faults if not _is_driver_noise(fault)]
    assert not real, real


def _is_driver_noise(text: str) -> bool:
    # What software WebGL says about itself; no page can do anything about it.
    return "GL Driver Message" in text or "GPU stall due to ReadPixels" in text
