"""What of these tests a machine can run, and what tests in a browser have in common."""

from typing import Any

import pytest

from tests.hosts import can_make_hosts
from tests.memory_groups import can_limit_memory
from tests.servers import Postgres

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
