"""People, a sweep and a registered version for the pages of models."""

from __future__ import annotations

import pytest

from experiments.models import Membership
from tests.factories import make_sweep, make_user, make_workspace
from tests.model_world import ended_run, register


@pytest.fixture
def people(settings, tmp_path):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    alice, bob, charlie = (make_user(name) for name in ("alice", "bob", "charlie"))
    make_workspace(alice)
    make_workspace(bob, role=Membership.Role.READER)
    make_workspace(charlie, name="Elsewhere")
    return {"alice": alice, "bob": bob, "charlie": charlie}


@pytest.fixture
def sweep(people):
    return make_sweep(owner=people["alice"], max_total_runs=99)


@pytest.fixture
def version(sweep, tmp_path):
    return register(ended_run(tmp_path / "0", sweep=sweep, lr=0.1, layers=2), description="<b>")


@pytest.fixture
def alice(client, people):
    client.force_login(people["alice"])
    return client
