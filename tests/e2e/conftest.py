"""What of these tests a machine can run, and what tests in a browser have in common."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.browser_sweep import submitter
from tests.hosts import can_make_hosts
from tests.memory_groups import can_limit_memory
from tests.servers import LiveStudio, Postgres

# Other machines are network namespaces; only root may make them, and not in every container.
collect_ignore = (
    [] if can_make_hosts() and Postgres.binaries() is not None else ["test_other_machines.py"]
)
if not can_limit_memory():
    collect_ignore.append("test_memory_kill.py")


@pytest.fixture(scope="session")
def expect() -> Any:
    """Assertions of Playwright, which wait; imported where there is a browser only."""
    from playwright.sync_api import expect

    return expect


@pytest.fixture(scope="module")
def submit(live_studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Submits sweeps with changes, for the tests of their pages; answers the id."""
    return submitter(live_studio, tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def finished(live_studio: LiveStudio, submit: Callable[..., str]) -> str:
    """A sweep of eight short runs that has ended."""
    sweep = submit(max_total_runs=8)
    assert live_studio.wait_for_end(sweep)["status"] == "Completed"
    return sweep
