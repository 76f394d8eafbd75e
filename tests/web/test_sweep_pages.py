"""The pages of a sweep: complete without scripts, whose they are, a fixed number of queries."""

import csv
import io
import json
import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.models import Sweep
from experiments.services.sweeps import cancel_sweep
from experiments.spec import SweepSpec
from tests.factories import make_sweep, make_user, make_workspace
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import TRACEBACK, make_sweep_world, many_runs

pytestmark = pytest.mark.django_db
PAGES = [
    "sweep",
    "sweep_runs",
    "sweep_charts",
    "sweep_timeline",
    "sweep_failures",
    "sweep_configuration",
    "sweep_logs",
    "sweep_best",
]


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def page(client, world):
    client.force_login(world.alice)

    def get(name, query="", **headers):
        return client.get(reverse(name, args=[world.sweep.public_id]) + query, **headers)

    return get


def block(html, name):
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html)
    return json.loads(found[1])


def rows(html):
    return [int(n) for n in re.findall(r'<tr data-id="[^"]+" data-run="(\d+)"', html)]


@pytest.mark.parametrize("name", PAGES)
def test_page_is_well_formed_and_escapes_names(page, name):
    html = page(name).content.decode()
    facts = PageFacts(html)

    assert facts.tags["h1"] == facts.tags["main"] == 1
    assert [key for key, n in facts.ids.items() if n > 1] == []
    assert facts.unlabelled() == []
    assert facts.inline == facts.hosts == []
    assert "<i>digits</i>" not in html
    assert "&lt;i&gt;digits&lt;/i&gt;" in html
    assert "{{" not in html.replace("${{search_space.", "")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_not_there_for_people_outside(client, world, name):
    client.force_login(world.charlie)
    url = reverse(name, args=[world.sweep.public_id])

    assert client.get(url).status_code == 404
    client.force_login(world.bob)
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_page_asks_strangers_to_sign_in(client, world, name):
    url = reverse(name, args=[world.sweep.public_id])

    assert client.get(url).url == f"{reverse('sign_in')}?next={url}"


@pytest.mark.parametrize("name", PAGES)
def test_number_of_queries_does_not_grow_with_the_runs(
    client, world, name, django_assert_num_queries
):
    client.force_login(world.alice)
    url = reverse(name, args=[world.sweep.public_id])
    with CaptureQueriesContext(connection) as before:
        client.get(url)

    many_runs(world.sweep, [0.11, 0.12, 0.13, 0.14, 0.15])

    with django_assert_num_queries(len(before)):
        client.get(url)
    assert len(before) <= 24


def test_header_says_how_good_and_how_far(page, world):
    facts = PageFacts(page("sweep").content.decode())
    text = facts.text

    assert "0.9000" in text
    assert world.winner.get_absolute_url() in facts.links
    assert text[text.index("of 80 finished · 1 running") - 1] == "3"
    for count, word in [("1", "completed"), ("1", "stopped early"), ("1", "failed")]:
        assert text[text.index(word) - 1] == count
    assert text[text.index("not started") - 1] == "76"


def test_header_has_tabs_as_links(page, world):
    facts = PageFacts(page("sweep_runs").content.decode())

    for name in PAGES:
        assert reverse(name, args=[world.sweep.public_id]) in facts.links


def test_readers_cannot_cancel_or_duplicate(client, world):
    client.force_login(world.bob)
    url = reverse("sweep", args=[world.sweep.public_id])
    html = client.get(url).content.decode()

    assert 'data-dialog="cancel-sweep"' not in html
    assert "?from=" not in html
    answer = client.post(reverse("sweep_cancel", args=[world.sweep.public_id]))
    assert answer.status_code == 403
    world.sweep.refresh_from_db()
    assert world.sweep.state == "Running"


def test_people_outside_cannot_cancel(client, world):
    client.force_login(world.charlie)

    answer = client.post(reverse("sweep_cancel", args=[world.sweep.public_id]))

    assert answer.status_code == 404
    assert Sweep.objects.get(pk=world.sweep.pk).state == "Running"


def test_cancel_is_a_post_that_leads_back(client, world):
    client.force_login(world.alice)
    url = reverse("sweep_cancel", args=[world.sweep.public_id])

    assert client.get(url).status_code == 405
    answer = client.post(url)

    assert answer.url == reverse("sweep", args=[world.sweep.public_id])
    world.sweep.refresh_from_db()
    assert (world.sweep.state, world.sweep.end_reason) == ("CancelRequested", "user")
    html = client.get(answer.url).content.decode()
    assert "Canceled by alice." in html
    assert 'data-dialog="cancel-sweep"' not in html


def test_cancel_needs_the_token_of_the_page(world):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.alice)

    answer = strict.post(reverse("sweep_cancel", args=[world.sweep.public_id]))

    assert answer.status_code == 403
    assert Sweep.objects.get(pk=world.sweep.pk).state == "Running"


def test_canceling_an_ended_sweep_says_so(client):
    alice = make_user()
    sweep = make_sweep(owner=alice, workspace=make_workspace(alice))
    cancel_sweep(sweep, user=alice)
    client.force_login(alice)

    page = client.post(reverse("sweep_cancel", args=[sweep.public_id]), follow=True)

    assert "The sweep had ended already." in page.content.decode()


def test_overview_shows_best_running_and_news(page, world):
    html = page("sweep").content.decode()

    assert f'data-run="{world.running.number}" data-count="2" data-values="[0.4, 0.45]"' in html
    feed = html[html.index('data-part="feed"') :]
    assert "Run 1: Stopped early" in feed
    assert "Run 1: Stopping early" not in feed
    assert "Run 0: Starting" not in feed
    assert "ValueError: loss is &lt;not&gt; finite" in feed


def test_overview_of_a_sweep_without_runs_says_so(client):
    alice = make_user()
    sweep = make_sweep(owner=alice, workspace=make_workspace(alice))
    client.force_login(alice)

    text = PageFacts(client.get(reverse("sweep", args=[sweep.public_id])).content.decode()).text

    assert "no value yet" in text
    assert "known after the first run" in text
    assert "No run has a slot at the moment." in text


def test_scripts_start_from_the_cursor_of_the_page(page, world):
    data = block(page("sweep").content.decode(), "page-data")

    assert data["cursor"] == world.sweep.cursor
    assert data["live"] is True
    assert data["sweep"]["best_run"]["number"] == 0
    assert list(data["space"]) == ["lr", "layers"]
    assert data["urls"]["run"].replace("NUMBER", "3") == world.running.get_absolute_url()


def test_fragments_have_the_parts_of_their_page_only(page):
    for name in PAGES[:5]:
        full = set(re.findall(r'data-part="([\w-]+)"', page(name).content.decode()))
        part = page(name, HTTP_X_FRAGMENT="1").content.decode()
        found = re.findall(r'<div data-part="([\w-]+)"', part)

        assert "<html" not in part
        assert found
        assert set(found) <= full
        assert len(found) == len(set(found))


def test_runs_show_the_reason_each_ended_for(page, world):
    html = page("sweep_runs").content.decode()

    assert rows(html) == [0, 1, 2, 3, 4]
    assert "Bandit policy at interval 2: best 0.2 &lt; 0.9 / (1 + 0.2) = 0.75 of run 0" in html
    assert TRACEBACK.replace("<", "&lt;").replace(">", "&gt;") in html
    assert "10⁻⁵" in html
    assert html.count("isbest") == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?sort=best&dir=desc", [0, 3, 1, 2, 4]),
        ("?sort=best", [1, 3, 0, 2, 4]),
        ("?dir=desc", [4, 3, 2, 1, 0]),
        ("?sort=lr&dir=desc", [4, 3, 2, 1, 0]),
        ("?sort=layers", [2, 3, 0, 4, 1]),
        ("?state=stopped", [1]),
        ("?state=failed", [2]),
        ("?state=running", [3]),
        ("?state=queued", [4]),
        ("?state=canceled", []),
        ("?q=finite", [2]),
        ("?q=3", [3]),
        ("?sort=nonsense&state=nonsense&offset=x", [0, 1, 2, 3, 4]),
        ("?offset=9999999999999", [0, 1, 2, 3, 4]),
    ],
)
def test_runs_are_sorted_and_filtered_by_the_address(page, query, expected):
    assert rows(page("sweep_runs", query).content.decode()) == expected


def test_runs_sort_the_best_first_at_the_first_click(page):
    html = page("sweep_runs").content.decode()

    assert 'href="?sort=best&amp;dir=desc"' in html
    again = page("sweep_runs", "?sort=best&dir=desc").content.decode()
    assert 'aria-sort="descending"' in again
    assert 'href="?sort=best"' in again


def test_runs_count_the_filters_by_all_runs(page):
    html = page("sweep_runs", "?state=failed&q=finite").content.decode()

    pills = re.findall(r'<a class="filter" href="[^"]*"[^>]*>([\w ]+) <b>(\d+)</b>', html)
    assert pills == [
        ("All", "5"),
        ("Running", "1"),
        ("Queued", "1"),
        ("Completed", "1"),
        ("Stopped early", "1"),
        ("Failed", "1"),
    ]


def test_runs_that_no_filter_lets_through_can_be_cleared(page):
    html = page("sweep_runs", '?q="<nothing>"').content.decode()

    assert "No run matches" in html
    assert "“&quot;&lt;nothing&gt;&quot;”" in html


def test_runs_are_paged(page, world):
    many_runs(world.sweep, [i / 100 for i in range(1, 49)])

    first = page("sweep_runs").content.decode()
    second = page("sweep_runs", "?offset=50").content.decode()

    assert rows(first) == list(range(50))
    assert "1 to 50 of 53" in PageFacts(first).text
    assert 'href="?offset=50" rel="next"' in first
    assert rows(second) == [50, 51, 52]
    assert 'rel="prev"' in second


def test_table_tells_the_browser_what_it_is_sorted_by(page):
    data = block(page("sweep_runs", "?sort=lr&dir=desc").content.decode(), "table-data")

    assert (data["sort"], data["direction"], data["size"]) == ("lr", "desc", 50)
    assert data["query"] == "?sort=lr&dir=desc"
    assert data["columns"][:4] == ["number", "state", "best", "curve"]


def test_csv_has_exact_values_of_all_rows_and_no_formulas(page, world):
    world.failed.reason = "=HYPERLINK(1)"
    world.failed.save(update_fields=["reason"])

    answer = page("sweep_runs", "?format=csv")
    table = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))

    assert "attachment" in answer.headers["Content-Disposition"]
    assert [row["run"] for row in table] == ["0", "1", "2", "3", "4"]
    assert (table[0]["lr"], table[0]["accuracy"], table[0]["at_interval"]) == ("1e-05", "0.9", "2")
    assert table[2]["reason"] == "'=HYPERLINK(1)"


def test_configuration_copies_the_specification_exactly(page, world):
    html = page("sweep_configuration").content.decode()
    yaml = unescape(re.search(r'<pre[^>]*id="yaml"[^>]*>(.*?)</pre>', html, re.DOTALL)[1])

    assert SweepSpec.parse(yaml).dump() == world.sweep.spec


def test_configuration_names_variables_and_keeps_their_values(page):
    html = page("sweep_configuration").content.decode()
    facts = html[: html.index('id="yaml"')]

    assert "OMP_NUM_THREADS" in facts
    assert "Bandit, slack factor 0.2" in facts


def test_logs_are_oldest_first_and_filtered_by_kind(page):
    html = page("sweep_logs").content.decode()
    cursors = [int(n) for n in re.findall(r'data-cursor="(\d+)"', html)]
    best = page("sweep_logs", "?kind=best").content.decode()

    assert cursors == sorted(cursors)
    assert set(re.findall(r'class="line kind-(\w+)', best)) == {"best"}
    assert 'data-kind="best"' in best
    assert page("sweep_logs", "?kind=nonsense&before=x").status_code == 200


def test_ended_sweep_says_why_in_a_sentence(client, world):
    cancel_sweep(world.sweep, user=world.alice)
    client.force_login(world.alice)

    html = client.get(reverse("sweep", args=[world.sweep.public_id])).content.decode()

    assert re.search(r'class="banner inset quiet">.*?<p>Canceled by alice\.</p>', html, re.DOTALL)
