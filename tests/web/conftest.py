"""For pages that make sweeps: a storage of the test's own, and somebody who may use the form."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from tests.factories import make_compute, make_user, make_workspace


@pytest.fixture
def storage(settings, tmp_path):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"


@pytest.fixture
def attempts_in_memory(settings):
    """Count failed tries of a test for itself."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "attempts"}}
    cache.clear()


@pytest.fixture
def alice(client):
    """Alice, signed in, with a workspace and a compute target."""
    alice = make_user("alice")
    make_workspace(alice)
    make_compute("local")
    client.force_login(alice)
    return alice
