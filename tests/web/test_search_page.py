"""The search page: groups, kinds, pages, words that are marked, what cannot be read."""

import pytest
from django.urls import reverse

from experiments.views.search import search_url
from tests.web.sweep_world import make_sweep_world, many_runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


def get(client, text, kind="", offset=0, **headers):
    return client.get(search_url(text, kind, offset), headers=headers)


def test_results_stand_in_groups_with_marked_words(client, world):
    client.force_login(world.bob)

    answer = get(client, "DIGITS")

    text = answer.content.decode()
    assert "&lt;i&gt;<mark>digits</mark>&lt;/i&gt;" in text
    assert [(group.kind, group.page.total) for group in answer.context["results"]().groups] == [
        ("sweeps", 1)
    ]
    assert [tab.count for tab in answer.context["results"]().tabs] == [1, 1, 0, 0]


def test_conditions_lead_to_exactly_these_runs_of_a_sweep(client, world):
    client.force_login(world.bob)

    answer = get(client, "digits lr>0.1 -status:failed")

    (found,) = answer.context["results"]().groups[0].rows()
    assert found.hit.matching == 3
    table = client.get(found.runs_url)
    assert len(table.context["rows"]) == 3


def test_kind_has_pages(client, world):
    many_runs(world.sweep, [0.01] * 52)
    client.force_login(world.bob)

    first = get(client, "lr:0.01", "runs")
    (group,) = first.context["results"]().groups
    second = client.get(group.more_url)

    assert (len(group.rows()), group.page.total) == (50, 52)
    assert [row.run.number for row in second.context["results"]().groups[0].rows()] == [6, 5]
    assert second.context["results"]().groups[0].previous_url == search_url("lr:0.01", "runs")
    far = get(client, "lr:0.01", "runs", 5000)
    assert (far.status_code, far.context["results"]().groups[0].rows()) == (200, [])


def test_what_cannot_be_read_is_said(client, world):
    client.force_login(world.bob)

    text = get(client, "layrs:2", **{"X-Fragment": "1"}).content.decode()

    assert "there is no column &#x27;layrs&#x27;. Did you mean layers, last?" in text
    assert "<!doctype" not in text


@pytest.mark.parametrize("text", ["", "zzzz", "\x00", '"', "a" * 400, "%_\\", "lr<1e999", "🦜"])
def test_odd_searches_get_an_answer(client, world, text):
    client.force_login(world.bob)

    assert get(client, text).status_code == 200


def test_box_gets_first_results_or_what_is_wrong_so_far(client, world):
    client.force_login(world.bob)

    def first(text):
        answer = client.get(reverse("search_quick"), {"q": text})
        assert answer.status_code == 200
        return answer.json()

    assert [one["id"] for one in first("digits")["sweeps"]] == [world.sweep.public_id]
    assert len(first("lr<1")["runs"]) == 5
    assert "'status:'" in first("status:")["problem"]
    assert first("")["sweeps"] == []
    client.force_login(world.charlie)
    assert first("digits")["sweeps"] == []


def test_nobody_else_finds_anything(client, world):
    client.force_login(world.charlie)

    assert "Nothing found" in get(client, "digits").content.decode()
    client.logout()
    assert get(client, "digits").status_code == 302


def test_box_of_the_top_bar_leads_to_the_page(client, world):
    client.force_login(world.bob)

    text = client.get(reverse("sweeps")).content.decode()

    assert f'role="search" action="{reverse("search")}"' in text
