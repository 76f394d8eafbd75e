"""What fails on a page takes only its part; what the studio lacks stands at the top of pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse

from experiments.models import ComputeTarget, Event, Run
from experiments.views.compare import compare_url
from experiments.views.search import search_url
from studio import trouble
from tests.factories import make_sweep, make_user, make_workspace
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import make_sweep_world, many_runs


@login_not_required
def fail(request: HttpRequest) -> HttpResponse:
    """A view with a fault of the kind that the address names."""
    kind = request.GET["kind"]
    raise OperationalError(kind) if kind != "bug" else ZeroDivisionError(kind)


urlpatterns = [path("fail/", fail), path("", include("experiments.urls"))]
handler500 = "studio.failing.server_error"


@pytest.fixture
def sweep():
    alice = make_user("alice")
    return make_sweep(owner=alice, workspace=make_workspace(alice))


@pytest.fixture
def client(sweep):
    client = Client()
    client.force_login(sweep.owner)
    return client


@pytest.fixture
def look_again():
    trouble.WATCH.forget()
    yield trouble.WATCH.forget
    trouble.WATCH.forget()


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, {"X-Fragment": "1"}])
def test_a_part_that_fails_is_named_and_the_rest_is_shown(client, sweep, headers, caplog):
    # No line of a log is like this: what a fault of the studio would leave.
    assert Event.objects.filter(sweep=sweep).update(kind="run", payload=[1])

    page = client.get(reverse("sweep", args=[sweep.public_id]), headers=headers)

    text = page.content.decode()
    assert page.status_code == 200
    assert "The activity cannot be shown now." in text
    assert "Running now" in text
    assert PageFacts(text).inline == []
    assert "AttributeError" in caplog.text


@pytest.mark.django_db
def test_pages_say_that_redis_is_away(client, settings, tmp_path, look_again):
    assert "Redis does not answer." not in client.get(reverse("sweeps")).content.decode()
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"

    look_again()

    assert "Redis does not answer." in client.get(reverse("sweeps")).content.decode()
    assert "Redis does not answer." in client.get("/no/such/page/").content.decode()
    # Strangers need not know.
    assert "Redis" not in Client().get(reverse("sign_in")).content.decode()


@pytest.mark.django_db
def test_pages_say_that_the_disk_is_full(client, settings, look_again):
    settings.STUDIO_MIN_FREE_BYTES = 10**18

    page = client.get(reverse("sweeps")).content.decode()

    assert "The disk of the studio is full" in page
    assert "take no runs until there are" in page


def test_servers_are_asked_once_in_some_seconds():
    asked = []
    watch = trouble.Watch(lambda: (asked.append(1), ())[1])

    assert watch.troubles() == watch.troubles() == ()
    assert asked == [1]


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("bug", 500, "Something failed on the server"),
        ("connection refused", 503, "The database does not answer"),
        ("database or disk is full", 503, "The disk of the studio is full"),
    ],
)
def test_a_failed_request_gets_a_page_that_needs_no_database(settings, kind, status, words):
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)

    response = client.get("/fail/", {"kind": kind})

    page = response.content.decode()
    facts = PageFacts(page)
    assert response.status_code == status
    assert words in page
    assert kind not in page
    assert facts.tags["h1"] == facts.tags["main"] == 1
    assert facts.inline == facts.hosts == []
    assert "css/base.css" in page
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert ("Retry-After" in response.headers) == (status == 503)


@pytest.mark.django_db
def test_other_pages_fail_part_by_part_as_well(tmp_path, caplog):
    world = make_sweep_world(tmp_path)
    other = make_sweep(owner=world.alice, workspace=world.sweep.experiment.workspace)
    many_runs(other, [0.4])
    # What a fault of the studio would leave: no row of a target or a run is like this.
    assert ComputeTarget.objects.update(labels=[1])
    assert Run.objects.filter(pk=world.winner.pk).update(params=["x"])
    client = Client()
    client.force_login(world.alice)
    ids = [world.sweep.public_id, other.public_id]
    pages = {
        compare_url(ids): ("table of best configurations", 'id="figures-title">Key figures<'),
        search_url("status:completed"): ("Runs", 'id="group-sweeps"'),
        reverse("compute"): ("Targets and machines", "<h2>Attach workers</h2>"),
        reverse("sweep_best", args=ids[:1]): ("The best model", "Copy link"),
    }

    for address, (failed, shown) in pages.items():
        for headers in ({}, {"X-Fragment": "1"}):
            page = client.get(address, headers=headers)
            text = page.content.decode()
            assert page.status_code == 200, address
            assert f"{failed} cannot be shown now." in text, address
            assert headers or shown in text, address
    assert "TypeError" in caplog.text or "AttributeError" in caplog.text
