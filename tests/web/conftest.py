"""For pages that make sweeps: a storage of the test's own, and somebody who may use the form."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from experiments.services.snapshots import snapshot_directory
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


@pytest.fixture
def code(tmp_path):
    """A source directory with two scripts."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)\n")
    (folder / "other.py").write_text("print(2)\n")
    return folder


@pytest.fixture
def snapshot(code):
    """That directory as a snapshot of the first workspace."""
    return snapshot_directory(code, workspace=make_workspace())


@pytest.fixture
def target():
    """A compute target that no worker is attached to."""
    return make_compute("gpu")


@pytest.fixture
def administrator(client, target):
    """The browser of an administrator."""
    root = make_user("root", is_superuser=True)
    make_workspace(root)
    client.force_login(root)
    return client
