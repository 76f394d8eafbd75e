"""REST: figures of charts for programs, the same as those of the pages; who may read them."""

from __future__ import annotations

import pytest

from tests.factories import report
from tests.web.sweep_world import make_sweep_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def address(world):
    return f"/api/v1/sweeps/{world.sweep.public_id}/charts/"


@pytest.mark.parametrize("name", ["metrics", "parallel_coordinates"])
def test_figure_is_that_of_the_page(client, world, address, name):
    client.force_login(world.alice)

    found = client.get(address + name)
    page = client.get(f"/sweeps/{world.sweep.public_id}/charts/{name}.json")
    again = client.get(address + name, headers={"If-None-Match": found.headers["ETag"]})
    report(world.running, [0.1])
    changed = client.get(address + name, headers={"If-None-Match": found.headers["ETag"]})

    assert found.json() == page.json()
    assert [again.status_code, changed.status_code] == [304, 200]


def test_figure_names_what_else_can_be_drawn(client, world, address):
    report(world.running, [1.0, 0.5], name="loss")
    client.force_login(world.alice)

    meta = client.get(f"{address}metrics?metric=loss&x=time").json()["meta"]

    assert (meta["metric"], meta["x"], meta["limits"]) == ("loss", "time", [])
    choices = next(option["choices"] for option in meta["options"] if option["name"] == "metric")
    assert ["loss", "loss"] in choices
    assert meta["styles"]["best"]["colour"] == "token:best-line"


@pytest.mark.parametrize("what", ["timeline", "metrics?x=epoch"])
def test_what_there_is_not_is_refused_with_what_there_is(client, world, address, what):
    client.force_login(world.alice)

    answer = client.get(address + what)

    assert answer.status_code == 422
    assert "metrics" in answer.content.decode() or "interval" in answer.content.decode()


def test_stranger_sees_no_figure(client, world, address):
    client.force_login(world.charlie)

    assert client.get(f"{address}metrics").status_code == 404
