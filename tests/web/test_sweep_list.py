"""The sweeps list: what stands in it, filters, pages, fragments, and whose it is."""

import re

import pytest
from django.urls import reverse

from experiments.models import Run
from experiments.services.transitions import move_sweep
from experiments.states import SweepState
from tests.factories import (
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
    report,
)
from tests.web.page_facts import PageFacts

pytestmark = pytest.mark.django_db
URL = "/sweeps/"


@pytest.fixture
def alice(client):
    alice = make_user("alice")
    make_workspace(alice)
    client.force_login(alice)
    return alice


def names(page):
    return re.findall(r'<a class="name" href="[^"]+">([^<]*)</a>', page.content.decode())


def states(page):
    pattern = r'data-state="(\w*)"[^>]*>[\w ]+<b>(\d+)</b>'
    return {state or "all": int(n) for state, n in re.findall(pattern, page.content.decode())}


def test_home_leads_to_the_dashboard(client, alice):
    assert client.get("/").url == reverse("dashboard")


def test_list_without_sweeps_offers_the_first(client, alice):
    page = client.get(URL).content.decode()

    assert "No sweeps yet" in page
    assert reverse("sweep_new") in PageFacts(page).links
    assert 'id="filters"' not in page


@pytest.mark.parametrize("count", [0, 1])
def test_fragment_holds_only_parts_that_the_page_has(client, alice, count):
    # A part that the page lacks makes it load itself again: for ever, if it still lacks it then.
    for _ in range(count):
        make_sweep(owner=alice)
    page, fragment = (
        set(re.findall(r'data-part="(\w+)"', client.get(URL, headers=headers).content.decode()))
        for headers in ({}, {"X-Fragment": "1"})
    )

    assert "list" in fragment
    assert fragment <= page


def test_list_is_newest_first_and_escapes_names(client, alice):
    make_sweep(owner=alice, name="first")
    make_sweep(owner=alice, name="<script>alert(1)</script>")

    assert names(client.get(URL)) == ["&lt;script&gt;alert(1)&lt;/script&gt;", "first"]


def test_list_shows_only_sweeps_of_own_workspaces(client, alice):
    charlie = make_user("charlie")
    make_sweep(owner=charlie, workspace=make_workspace(charlie, name="Elsewhere"), name="secret")
    make_sweep(owner=alice, name="mine")

    page = client.get(URL)
    assert names(page) == ["mine"]
    assert "secret" not in page.content.decode()
    assert states(page)["all"] == 1


def test_row_tells_progress_best_value_and_metric(client, alice):
    sweep = make_sweep(owner=alice, max_total_runs=10)
    for value in (0.5, 0.951234):
        report(make_running_run(sweep, lr=value), [value])

    page = client.get(URL).content.decode()
    row = page[page.index('id="rows"') :]
    assert "0.9512" in row
    assert 'aria-label="2 running of 10 runs"' in row
    assert re.search(r"accuracy</bdi>\s*<span[^>]*>↑", row)
    assert "+2" in row


def test_filters_combine_and_counts_stay(client, alice):
    bob = make_user("bob")
    make_workspace(bob)
    make_sweep(owner=alice, name="red one", experiment="colours")
    make_sweep(owner=bob, name="red two", experiment="colours", is_running=False)
    make_sweep(owner=alice, name="blue", experiment="other")

    assert names(client.get(URL, {"q": "red"})) == ["red two", "red one"]
    assert names(client.get(URL, {"q": "red", "owner": "me"})) == ["red one"]
    assert names(client.get(URL, {"experiment": "other"})) == ["blue"]
    page = client.get(URL, {"state": "Queued", "q": "blue"})
    assert names(page) == []
    assert "No sweep matches" in page.content.decode()
    assert {k: states(page)[k] for k in ("all", "Running", "Queued")} == {
        "all": 3,
        "Running": 2,
        "Queued": 1,
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("team", ["one"]),
        ("Blue", ["one"]),
        ("größe", ["one"]),
        ("team blue", ["one"]),
        ("team green", []),
        ("val_loss", ["two"]),
        ("winter", ["two"]),
        ("e", ["two", "one"]),
        ("%", []),
    ],
)
def test_search_finds_what_its_placeholder_says(client, alice, text, found):
    make_sweep(owner=alice, name="one", experiment="summer", tags={"team": "blue", "Größe": "ä"})
    metric = {"name": "val_loss", "goal": "minimize"}
    make_sweep(owner=alice, name="two", experiment="winter", primary_metric=metric)

    page = client.get(URL, {"q": text})

    assert names(page) == found
    assert 'placeholder="Name, metric, tag, id"' in page.content.decode()


def test_filter_links_keep_the_other_filters(client, alice):
    make_sweep(owner=alice, name="red one", experiment="colours")

    page = client.get(URL, {"q": "red", "experiment": "colours", "state": "Running"})
    links = PageFacts(page.content.decode()).links
    assert "/sweeps/?state=Failed&experiment=colours&q=red" in links
    assert 'aria-current="true">Running' in page.content.decode()


def test_unknown_state_is_no_filter(client, alice):
    make_sweep(owner=alice, name="one")

    assert names(client.get(URL, {"state": "Nonsense"})) == ["one"]


def test_rare_state_has_a_filter_only_while_it_occurs(client, alice):
    sweep = make_sweep(owner=alice)
    assert "CancelRequested" not in states(client.get(URL))

    move_sweep(sweep.pk, SweepState.CANCEL_REQUESTED, end_reason="user", reason="Canceled.")
    assert states(client.get(URL))["CancelRequested"] == 1


def test_failed_sweep_says_why(client, alice):
    sweep = make_sweep(owner=alice, description="a plan")
    move_sweep(
        sweep.pk, SweepState.FAILED, end_reason="all_runs_failed", reason="The first 5 runs failed."
    )

    page = client.get(URL).content.decode()
    assert "The first 5 runs failed." in page
    assert "a plan" not in page


def test_pages_follow_each_other_without_gap(client, alice):
    for n in range(53):
        make_sweep(owner=alice, name=f"sweep {n:02}", is_running=False)

    first = client.get(URL, {"q": "sweep"})
    older = re.search(r'id="more"><a class="btn" href="([^"]+)"', first.content.decode())[1]
    second = client.get(older.replace("&amp;", "&"))
    assert names(first) + names(second) == [f"sweep {n:02}" for n in reversed(range(53))]
    assert len(names(first)) == 50
    assert "q=sweep" in older
    assert 'id="more"' not in second.content.decode()


def test_more_rows_can_be_asked_for_at_once_up_to_a_limit(client, alice):
    for n in range(53):
        make_sweep(owner=alice, name=f"sweep {n:02}", is_running=False)

    assert len(names(client.get(URL, {"count": "100"}))) == 53
    assert len(names(client.get(URL, {"count": "1"}))) == 50
    assert len(names(client.get(URL, {"count": "nonsense"}))) == 50


def test_fragment_has_the_changing_parts_only(client, alice):
    make_sweep(owner=alice, name="one")

    fragment = client.get(URL, headers={"X-Fragment": "1"}).content.decode()
    assert re.findall(r'data-part="(\w+)"', fragment) == ["glance", "states", "list"]
    assert "<html" not in fragment
    assert ">one</a>" in fragment


def test_number_of_queries_does_not_grow_with_the_list(
    client, alice, django_assert_num_queries, django_assert_max_num_queries
):
    def fill(count):
        for n in range(count):
            report(make_running_run(make_sweep(owner=alice)), [0.1 * n])

    fill(1)
    client.get(URL)
    with django_assert_max_num_queries(30) as few:
        client.get(URL)
    fill(5)
    with django_assert_num_queries(len(few.captured_queries)):
        client.get(URL)
    assert Run.objects.count() == 6


def test_row_menu_leads_to_the_pages_of_the_sweep(client, alice):
    sweep = make_sweep(owner=alice)
    links = PageFacts(client.get(URL).content.decode()).links

    assert reverse("sweep", args=[sweep.public_id]) in links
    assert f"{reverse('sweep_new')}?from={sweep.public_id}" in links
    assert reverse("sweep_best", args=[sweep.public_id]) not in links
