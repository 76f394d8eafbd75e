"""The dashboard: what stands in each part, whose it is, and that a full one costs no more."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from experiments import queries
from experiments.lately import Lately
from experiments.models import Membership, Run, Sweep
from experiments.queries.dashboard import new_bests
from experiments.queries.dashboard_queue import queue_of
from experiments.queries.dashboard_sweeps import team_sweeps
from experiments.services.compute import register_worker
from experiments.services.outcome import RunOutcome
from experiments.services.transitions import move_sweep
from experiments.states import SweepState
from experiments.views.dashboard import SHARED
from tests.factories import (
    make_run,
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
    report,
)
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import end, start

pytestmark = pytest.mark.django_db
URL = "/dashboard/"


@pytest.fixture(autouse=True)
def _fresh():
    cache.clear()
    SHARED.forget()


@pytest.fixture
def alice(client):
    alice = make_user("alice")
    make_workspace(alice)
    client.force_login(alice)
    return alice


def part(page, name):
    """Return the text of one part."""
    html = page.content.decode()
    found = re.search(rf'data-part="{name}"[^>]*>(.*?)(?=data-part="|<script|$)', html, re.S)[1]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def test_a_fresh_studio_leads_to_the_first_sweep(client, alice):
    page = client.get(URL)

    assert "No sweeps yet" in page.content.decode()
    assert "/sweeps/new/" in PageFacts(page.content.decode()).links
    assert 'data-part="running"' not in page.content.decode()


def test_what_runs_is_shown_with_its_slots_and_what_is_left(client, alice):
    limits = {"max_total_runs": 10, "max_concurrent_runs": 2, "max_duration_minutes": 600}
    sweep = make_sweep(owner=alice, name="digits <b>", **limits)
    done = start(sweep, lr=0.1, layers=1)
    running = start(sweep, lr=0.2, layers=1)
    report(done, [0.5, 0.75])
    end(done, RunOutcome(exit_code=0))
    Run.objects.filter(pk=done.pk).update(
        started_at=timezone.now() - timedelta(minutes=10), ended_at=timezone.now()
    )

    page = client.get(URL)

    said = part(page, "running")
    assert "digits &lt;b&gt;" in said
    assert "alice" in said
    assert "1 of 10 runs" in said
    # Nine runs of ten minutes are left, of which the sweep has one slot now.
    assert "≈ 1 h 29 min left" in said or "≈ 1 h 30 min left" in said
    assert f"/runs/{running.public_id}/" in page.content.decode()
    assert "on here" in said


def test_a_new_best_says_by_how_much_and_over_which_run(client, alice):
    earlier = make_sweep(owner=alice, name="earlier")
    report(make_running_run(earlier), [0.9])
    sweep = make_sweep(owner=alice, name="later")
    first, second = make_running_run(sweep), make_running_run(sweep, lr=0.3, layers=1)
    report(first, [0.5])
    report(second, [0.6])
    report(first, [0.65])
    report(second, [0.95])

    (best, other) = new_bests(team_sweeps(alice, timezone.now()))

    assert (best.row.name, best.run_number, best.before) == ("later", 1, 0)
    assert best.gain == pytest.approx(0.3)
    assert best.is_experiments_best
    assert (other.row.name, other.gain, other.is_experiments_best) == ("earlier", None, False)
    said = part(client.get(URL), "bests")
    assert "+0.3000 on run 0" in said
    assert "Best of digits" in said


def test_what_needs_somebody_says_why(client, alice):
    by_hand = make_sweep(owner=alice, name="paused by hand")
    move_sweep(by_hand.pk, SweepState.PAUSED, reason="Paused by alice.", by=alice)
    breaker = make_sweep(owner=alice, name="stuck")
    move_sweep(breaker.pk, SweepState.PAUSED, reason="The last 3 runs failed in a row.")
    failed = make_sweep(owner=alice, name="broken")
    move_sweep(
        failed.pk, SweepState.FAILED, end_reason="all_runs_failed", reason="All 5 runs failed."
    )
    long_ago = make_sweep(owner=alice, name="forgotten")
    move_sweep(long_ago.pk, SweepState.FAILED, end_reason="all_runs_failed", reason="All failed.")
    Sweep.objects.filter(pk=long_ago.pk).update(ended_at=timezone.now() - timedelta(days=9))
    flaky = make_sweep(owner=alice, name="flaky", max_total_runs=20)
    for run in [start(flaky, lr=n / 10, layers=1) for n in range(3)]:
        end(run, RunOutcome(exit_code=1, error_line="boom"))

    said = part(client.get(URL), "alerts")

    assert "Paused by itself stuck The last 3 runs failed in a row. alice" in said
    assert "Failed broken All 5 runs failed." in said
    assert "Runs fail flaky 3 of 3 runs that ended have failed." in said
    assert "No worker local" in said
    assert "paused by hand" not in said
    assert "forgotten" not in said


def test_the_queue_says_who_waits_why_and_until_when(client, alice):
    mine = make_sweep(owner=alice, name="mine", max_total_runs=40)
    theirs = make_sweep(
        owner=make_user("carol"), workspace=make_workspace(make_user("carol"), name="Other")
    )
    done, busy = start(mine, lr=0.1, layers=1), start(mine, lr=0.2, layers=1)
    end(done, RunOutcome(exit_code=0))
    now = timezone.now()
    Run.objects.filter(pk=done.pk).update(started_at=now - timedelta(seconds=100), ended_at=now)
    Run.objects.filter(pk=busy.pk).update(started_at=now - timedelta(seconds=40))
    Run.objects.filter(sweep=mine, state="Queued").delete()
    make_run(theirs)
    make_run(mine, lr=0.9, layers=1)
    register_worker(mine.compute, name="worker-1", host="h", pid=1, process_started=1.0)

    queue = queue_of(alice, queries.compute_json(alice), now)

    assert [(row.sweep and row.sweep.name, row.position) for row in queue.rows] == [
        (None, 1),
        ("mine", 2),
    ]
    # The slot is free in a minute; how long the run of somebody else lasts is not known.
    assert [row.starts_in for row in queue.rows] == [pytest.approx(60, abs=1), None]
    said = part(client.get(URL), "queue")
    assert "others, or checks" in said
    assert "its slot is busy" in said
    assert theirs.name not in said.replace("mine", "")


def test_use_of_slots_is_that_of_the_runs(client, alice):
    sweep = make_sweep(owner=alice)
    now = timezone.now()
    Sweep.objects.filter(pk=sweep.pk).update(started_at=now - timedelta(hours=3))
    for hours in (2, 1):
        run = start(sweep, lr=hours / 10, layers=1)
        end(run, RunOutcome(exit_code=0))
        Run.objects.filter(pk=run.pk).update(
            started_at=now - timedelta(hours=hours), ended_at=now - timedelta(hours=hours - 1)
        )
    Run.objects.filter(ended_at__isnull=True).delete()

    said = part(client.get(URL), "compute")

    assert "2 h 00 min of runs in 24 hours" in said
    assert "free of" in part(client.get(f"{URL}?window=week"), "disk")


def test_a_part_that_fails_takes_only_itself(client, alice, settings):
    make_sweep(owner=alice, name="still here")
    settings.STUDIO_STORAGE_BUCKET = "what no bucket is"

    page = client.get(URL)

    assert page.status_code == 200
    assert "The disk cannot be shown now." in page.content.decode()
    assert page.content.decode().count("cannot be shown now") == 1
    assert "still here" in part(page, "running")


def test_strangers_see_nothing_of_it(client, alice):
    report(make_running_run(make_sweep(owner=alice, name="secret")), [0.5])
    charlie = make_user("charlie")
    make_workspace(charlie, name="Elsewhere")
    make_sweep(owner=charlie, workspace=make_workspace(name="Elsewhere"), name="own")
    client.force_login(charlie)

    html = client.get(URL).content.decode()

    assert "secret" not in html
    assert "own" in html
    client.logout()
    assert client.get(URL).url.startswith("/sign-in/")


def test_number_of_queries_does_not_grow(client, alice, django_assert_max_num_queries):
    def fill(count):
        for n in range(count):
            sweep = make_sweep(owner=alice, name=f"sweep {n}")
            first, second = make_running_run(sweep), make_running_run(sweep, lr=0.3, layers=1)
            report(first, [0.1])
            report(second, [0.2 + n / 100])
            end(first, RunOutcome(exit_code=0))
        move_sweep(
            sweep.pk, SweepState.FAILED, end_reason="all_runs_failed", reason="All runs failed."
        )

    fill(2)
    client.get(URL)
    cache.clear()
    SHARED.forget()
    with django_assert_max_num_queries(31) as few:
        client.get(URL)
    fill(6)
    cache.clear()
    SHARED.forget()
    with django_assert_max_num_queries(len(few.captured_queries)):
        page = client.get(URL)
    assert part(page, "running").count("sweep ") > 5


def test_a_look_shares_what_the_team_saw_a_moment_ago(
    client, alice, monkeypatch, django_assert_max_num_queries
):
    # However long a moment is here.
    moment = Lately(3600.0)
    monkeypatch.setattr("experiments.views.dashboard.SHARED", moment)
    look = {"headers": {"X-Fragment": "1"}}
    make_sweep(owner=alice, name="first")
    bob, charlie = make_user("bob"), make_user("charlie")
    make_workspace(bob)
    make_workspace(charlie, name="Elsewhere")
    client.get(URL)
    make_sweep(owner=alice, name="second")
    client.force_login(bob)

    with django_assert_max_num_queries(6):  # session, person, their teams, role, stars
        shared = client.get(URL, **look)

    # It says so, and the page looks again.
    assert "data-again" in shared.content.decode()
    assert "second" not in part(shared, "running")
    opened = client.get(URL)
    assert "data-again" in opened.content.decode()
    assert "second" not in part(opened, "running")
    moment.forget()
    assert "second" in part(client.get(URL), "running")
    assert "second" in part(client.get(URL, **look), "running")
    client.force_login(charlie)
    others = client.get(URL, **look).content.decode()
    assert "data-again" not in others
    assert "first" not in others
    moment.forget()
    client.force_login(bob)
    assert "data-again" not in client.get(URL, **look).content.decode()


def test_what_is_shared_is_for_those_with_the_same_rights(client, alice, monkeypatch):
    monkeypatch.setattr("experiments.views.dashboard.SHARED", Lately(3600.0))
    sweep = make_sweep(owner=alice)
    move_sweep(sweep.pk, SweepState.CANCEL_REQUESTED, end_reason="user", reason="Enough.")
    move_sweep(sweep.pk, SweepState.CANCELED, end_reason="user", reason="Enough.")
    start_one = "Start a sweep"

    assert start_one in part(client.get(URL), "running")
    Membership.objects.filter(user=alice).update(role=Membership.Role.READER)
    seen = client.get(URL)
    assert "data-again" in seen.content.decode()
    assert start_one not in part(seen, "running")
    Membership.objects.filter(user=alice).update(role=Membership.Role.CONTRIBUTOR)
    assert start_one in part(client.get(URL), "running")


def test_fragment_holds_the_parts_of_the_page(client, alice):
    make_sweep(owner=alice)

    whole = re.findall(r'data-part="([\w-]+)"', client.get(URL).content.decode())
    fragment = client.get(URL, headers={"X-Fragment": "1"}).content.decode()

    assert re.findall(r'data-part="([\w-]+)"', fragment) == whole
    assert "<html" not in fragment
