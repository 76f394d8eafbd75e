"""Checks before a launch are followed over the socket, through the real Redis."""

from __future__ import annotations

import pytest
import redis

from experiments import consumers
from tests.factories import make_check, make_user, make_workspace
from tests.live.test_sockets import Client, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def queues(valkey_url):
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    yield
    client.close()


def test_socket_follows_a_check_of_the_own_workspace_only():
    alice, charlie = make_user("alice"), make_user("charlie")
    make_workspace(charlie, name="Elsewhere")
    check = make_check(owner=alice)
    address = f"/ws/sweeps/{check.public_id}/?after=0"

    async def scenario() -> None:
        mine, foreign = Client(address, alice), Client(address, charlie)
        await mine.connect()
        frame = await mine.frame()
        assert frame["cursor"] == check.cursor
        assert frame["events"]
        await mine.disconnect()
        await foreign.connect()
        assert await foreign.close_code() == consumers.NOT_FOUND

    run(scenario)
