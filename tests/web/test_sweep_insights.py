"""Timeline, failures, edges and activity of a sweep on its pages: what stands there leads on."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.models import Event, Run, Sweep
from experiments.queries.insights import insights_of
from experiments.services.sweeps import cancel_sweep, pause_sweep, resume_sweep
from experiments.views import sweep_log
from tests.factories import make_sweep, make_user, make_workspace
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import start

pytestmark = pytest.mark.django_db
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {}.00 GiB."


@pytest.fixture
def alice(client):
    user = make_user("alice")
    client.force_login(user)
    return user


@pytest.fixture
def sweep(alice):
    return make_sweep(
        owner=alice,
        workspace=make_workspace(alice),
        max_total_runs=200,
        max_concurrent_runs=1,
        search_space={"lr": "loguniform(-9.2103, -2.3026)", "size": "choice(64, 128, 256, 512)"},
    )


def add_runs(sweep, kinds):
    """Add ended runs as (value or error line, hyperparameters), one after the other in one slot."""
    sweep.refresh_from_db()
    begin, first = sweep.started_at, sweep.next_number
    rows = []
    for number, (outcome, params) in enumerate(kinds, first):
        is_failed = isinstance(outcome, str)
        rows.append(
            Run(
                public_id=f"{sweep.public_id}_{number}",
                sweep=sweep,
                number=number,
                params={"lr": 0.01, "size": 128, **params},
                state="Failed" if is_failed else "Completed",
                end_reason="nonzero_exit" if is_failed else "finished",
                reason=f"Exit code 1: {outcome}" if is_failed else "Exit code 0.",
                best_value=None if is_failed else outcome,
                worker_name="local@atlas-1",
                host="atlas",
                started_at=begin + timedelta(seconds=40 * number),
                ended_at=begin + timedelta(seconds=40 * number + 30),
            )
        )
    Run.objects.bulk_create(rows)
    Sweep.objects.filter(pk=sweep.pk).update(next_number=first + len(rows))


def failing(sweep):
    """Add runs: five of six of size 512 fail alike, one fails otherwise, ten complete."""
    kinds = [(OOM.format(number + 1), {"size": 512}) for number in range(5)]
    kinds.append(("KeyError: 'momentum'", {}))
    kinds += [(0.1, {"size": (64, 128, 256)[number % 3]}) for number in range(9)]
    add_runs(sweep, [*kinds, (0.2, {"size": 512})])


def at_bound(sweep):
    """Add runs: twelve complete, the three best of them with the largest lr."""
    add_runs(sweep, [(n / 20, {"lr": 0.0999 if n > 8 else 0.003}) for n in range(12)])


def get(client, sweep, name, query=""):
    answer = client.get(reverse(name, args=[sweep.public_id]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def links(html, start):
    return [link for link in PageFacts(html).links if link.startswith(start)]


def text_of(html):
    return re.sub(r" ([.:,])", r"\1", " ".join(PageFacts(html).text))


def test_timeline_says_what_it_counts(client, sweep):
    add_runs(sweep, [(0.1, {}), (0.2, {}), ("KeyError: 'x'", {})])
    cancel_sweep(sweep, user=sweep.owner)

    text = text_of(get(client, sweep, "sweep_timeline"))

    assert "Utilization 82 % of 1 slot: 1 min 30 s of 1 min 50 s" in text
    assert "Idle 20 s 18 %" in text
    assert "Wasted 30 s 1 run, 33 % of the time used" in text
    assert "Saved – no early termination" in text
    assert "atlas 3 82 % 1 min 30 s 20 s 30 s 1 min 50 s" in text


def test_pages_of_a_sweep_without_runs_say_so(client, sweep):
    assert "No run has started yet." in get(client, sweep, "sweep_timeline")
    assert "No run has failed" in get(client, sweep, "sweep_failures")
    overview = get(client, sweep, "sweep")
    assert 'id="failures-title"' not in overview
    assert "banner inset info edge" not in overview


def test_failures_are_one_group_and_related_to_their_size(client, sweep):
    failing(sweep)

    html = get(client, sweep, "sweep_failures")

    text = text_of(html)
    assert "Tried to allocate …." in text
    assert "size = 512: 5 of 6 runs with it failed this way, 0 of 10 others." in text
    assert "1 run: too few to relate to parameters, 3 are needed." in text
    assert "Run 4" in text
    assert 'data-part="failed-count">6<' in html
    assert "size = 512: 5 of 6, elsewhere 0 of 10" in text_of(get(client, sweep, "sweep"))


def test_link_of_a_group_shows_exactly_its_runs(client, sweep):
    failing(sweep)
    html = get(client, sweep, "sweep_failures")

    shown = []
    for link in links(html, reverse("sweep_runs", args=[sweep.public_id]) + "?q="):
        table = client.get(link).content.decode()
        assert "there is no column" not in table
        shown.append([int(n) for n in re.findall(r'<tr data-id="[^"]+" data-run="(\d+)"', table)])

    # The first group, the runs with its value, the second group.
    assert shown == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 15], [5]]


def test_region_can_be_left_out_of_a_new_sweep(client, sweep):
    failing(sweep)
    cancel_sweep(sweep, user=sweep.owner)
    (link,) = links(get(client, sweep, "sweep_failures"), reverse("sweep_new") + "?without=")

    form = client.get(link).content.decode()

    assert "without size = 512" in form
    assert 'value="64, 128, 256"' in form
    assert re.search(rf'name="resume_from"[^>]*>\s*{sweep.public_id}', form)
    assert client.get(link.replace("is=512", "is=513")).status_code == 404
    assert client.get(link.replace("is=512", "is=nonsense")).status_code == 404


def test_best_runs_at_a_bound_lead_to_a_wider_sweep(client, sweep):
    at_bound(sweep)
    assert "Extend lr" in get(client, sweep, "sweep")
    cancel_sweep(sweep, user=sweep.owner)
    html = get(client, sweep, "sweep")

    text = text_of(html)
    assert "The best runs have lr within 15 % of its upper bound, 0.1." in text
    assert "The 3 best of 12 completed runs stand there; none of the other 9 do." in text
    (link,) = links(html, reverse("sweep_new") + "?beyond=")
    assert parse_qs(urlsplit(link).query)["edge"] == ["lr:upper"]
    form = client.get(link).content.decode()
    assert 'value="-9.2103"' in form
    assert 'value="0"' in form
    assert "It goes on from the runs of that sweep." in form
    assert re.search(rf'name="resume_from"[^>]*>\s*{sweep.public_id}', form)
    assert client.get(link.replace("lr:", "gone:").replace("lr%3A", "gone:")).status_code == 404


def test_readers_see_edges_and_failures_without_forms(client, sweep):
    failing(sweep)
    at_bound(sweep)
    bob = make_user("bob")
    make_workspace(bob, role="reader")
    client.force_login(bob)

    assert "The best runs have" in get(client, sweep, "sweep")
    for name in ("sweep", "sweep_failures"):
        assert links(get(client, sweep, name), reverse("sweep_new") + "?") == []


def test_activity_says_who_did_what(client, sweep):
    bob = make_user("bob")
    pause_sweep(sweep, user=bob)
    resume_sweep(sweep, user=sweep.owner)
    start(sweep, lr=0.01, size=64)

    html = get(client, sweep, "sweep_logs", "?kind=people")

    found = re.findall(r'<span class="who is-person">(\w+)</span><span class="what">([^<]+)', html)
    assert found == [
        ("alice", "Sweep: submitted by alice"),
        ("bob", "Sweep: Paused. Paused by bob."),
        ("alice", "Sweep: resumed by alice"),
    ]
    everything = get(client, sweep, "sweep_logs")
    assert 'aria-current="true">All <span class="count">' in everything
    assert re.search(r'>People <span class="count">3<', everything)
    assert '<span class="who">studio</span>' in everything


def test_activity_is_paged_and_every_line_has_an_address(client, sweep, monkeypatch):
    monkeypatch.setattr(sweep_log, "PAGE_LINES", 4)
    for _ in range(5):
        pause_sweep(sweep, user=sweep.owner)
        resume_sweep(sweep, user=sweep.owner)
    every = list(Event.objects.filter(sweep=sweep).order_by("cursor").values_list("cursor", flat=1))

    def lines(html):
        return [int(n) for n in re.findall(r'<li class="line [^>]*data-cursor="(\d+)"', html)]

    query, seen = "", []
    for _ in range(20):
        html = get(client, sweep, "sweep_logs", query)
        seen = [*lines(html), *seen]
        older = re.search(r'href="(\?before=\d+)" rel="prev"', html)
        if not older:
            break
        query = older[1]
    assert seen == every
    newer = re.search(r'href="(\?after=\d+)" rel="next"', html)[1]
    assert lines(get(client, sweep, "sweep_logs", newer)) == every[len(lines(html)) :][:4]

    page = get(client, sweep, "sweep_logs", f"?at={every[5]}")
    assert f'href="?at={every[5]}#line-{every[5]}"' in page
    assert lines(page) == every[4:8]
    assert f'id="line-{every[5]}"' in page
    assert 'data-newest=""' in page


@pytest.mark.parametrize("name", ["sweep", "sweep_timeline", "sweep_failures", "sweep_logs"])
def test_queries_do_not_grow_with_failures(client, sweep, name, django_assert_num_queries):
    failing(sweep)
    url = reverse(name, args=[sweep.public_id])
    with CaptureQueriesContext(connection) as before:
        client.get(url)

    failing(sweep)

    with django_assert_num_queries(len(before)):
        client.get(url)


def test_timeline_figure_has_all_runs_in_few_traces(client, sweep):
    failing(sweep)
    url = reverse("chart_data", args=[sweep.public_id, "timeline"])

    figure = client.get(url).json()

    assert [trace["name"] for trace in figure["data"]] == [*("completed", "failed", "highlight")]
    assert figure["meta"]["table"]["total"] == 16
    assert Sweep.objects.get(pk=sweep.pk).cursor == figure["cursor"]


def test_ended_runs_are_looked_through_again_when_one_has_changed(sweep, django_assert_num_queries):
    add_runs(sweep, [(0.5, {}), (OOM.format(2), {"size": 512})])

    first = insights_of(sweep)
    with django_assert_num_queries(1):
        assert insights_of(sweep) is first
    add_runs(sweep, [(OOM.format(4), {"size": 512})])
    more = insights_of(sweep)
    Run.objects.filter(sweep=sweep, number=0).update(best_value=0.7, stamp=sweep.cursor + 1)

    assert (first.failed, more.failed) == (1, 2)
    assert insights_of(sweep) is not more
    assert insights_of(make_sweep(owner=sweep.owner)).completed == 0
