"""Buttons and small forms of live sweeps: pause, resume, repeat, clone and edit, limits."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from experiments.models import Run, Sweep
from experiments.services.advance import advance_sweep
from experiments.services.sweeps import cancel_sweep
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import make_sweep_world

pytestmark = pytest.mark.django_db
SWEEP_ACTIONS = ["sweep_pause", "sweep_resume", "sweep_retry", "sweep_limits"]
RUN_ACTIONS = ["run_retry", "run_clone"]


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def alice(client, world):
    client.force_login(world.alice)
    return client


def address(world, name):
    target = world.failed if name in RUN_ACTIONS else world.sweep
    return reverse(name, args=[target.public_id])


def body(client, target):
    return client.get(target.get_absolute_url()).content.decode()


def told(response):
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("name", [*SWEEP_ACTIONS, *RUN_ACTIONS])
@pytest.mark.parametrize(("user", "status"), [("bob", 403), ("charlie", 404)])
def test_readers_may_not_and_strangers_find_nothing(client, world, name, user, status):
    client.force_login(getattr(world, user))
    before = (Sweep.objects.get(pk=world.sweep.pk).cursor, Run.objects.count())

    assert client.post(address(world, name)).status_code == status
    assert (Sweep.objects.get(pk=world.sweep.pk).cursor, Run.objects.count()) == before


def test_readers_see_no_buttons(client, world):
    client.force_login(world.bob)

    for page in (body(client, world.sweep), body(client, world.failed)):
        for word in ("/pause/", "/retry/", "/clone/", "/limits/"):
            assert word not in page


def test_pause_and_resume_take_turns(alice, world):
    assert address(world, "sweep_pause") in body(alice, world.sweep)

    page = alice.post(address(world, "sweep_pause"), follow=True).content.decode()

    assert "Paused by alice." in page
    assert address(world, "sweep_pause") not in page
    assert address(world, "sweep_resume") in page
    alice.post(address(world, "sweep_resume"))
    assert Sweep.objects.get(pk=world.sweep.pk).state == "Running"
    assert told(alice.post(address(world, "sweep_resume"), follow=True)) == [
        "The sweep was not paused."
    ]


def test_failed_runs_are_repeated_from_the_sweep(alice, world):
    assert "Retry failed (1)" in body(alice, world.sweep)

    response = alice.post(address(world, "sweep_retry"), follow=True)

    assert told(response) == ["1 run will be repeated."]
    assert "Retry failed" not in response.content.decode()
    assert Run.objects.get(retry_of=world.failed).params == world.failed.params


def test_a_run_is_repeated_from_its_page(alice, world):
    assert address(world, "run_retry") in body(alice, world.failed)
    assert "/retry/" not in body(alice, world.winner)

    response = alice.post(address(world, "run_retry"))

    retry = Run.objects.get(retry_of=world.failed)
    assert response["Location"] == retry.get_absolute_url()
    again = alice.post(address(world, "run_retry"), follow=True)
    assert told(again) == [f"Run {world.failed.number} is repeated by run {retry.number} already."]


@pytest.mark.parametrize("name", ["sweep_limits", "run_clone"])
def test_small_forms_are_well_formed(alice, world, name):
    facts = PageFacts(alice.get(address(world, name)).content.decode())

    assert facts.tags["h1"] == facts.tags["main"] == 1
    assert [key for key, n in facts.ids.items() if n > 1] == []
    assert facts.unlabelled() == []
    assert facts.inline == facts.hosts == []


def test_a_clone_begins_with_the_values_of_the_run(alice, world):
    page = alice.get(reverse("run_clone", args=[world.winner.public_id])).content.decode()

    values = re.findall(r'name="(value\.\w+)" value="([^"]*)"', page)
    assert values == [("value.lr", "1e-05"), ("value.layers", "2")]


def test_an_edited_clone_is_queued(alice, world):
    response = alice.post(address(world, "run_clone"), {"value.lr": "0.25", "value.layers": "3"})

    made = Run.objects.get(origin="hand")
    assert response["Location"] == made.get_absolute_url()
    assert made.params == {"lr": 0.25, "layers": 3}


def test_a_value_outside_asks_before_it_is_queued(alice, world):
    values = {"value.lr": "5", "value.layers": "2"}

    asked = alice.post(address(world, "run_clone"), values)

    page = unescape(asked.content.decode())
    assert asked.status_code == 200
    assert "lr is 5, outside uniform(0.0, 1.0)." in page
    assert 'name="outside"' in page
    assert not Run.objects.filter(origin="hand").exists()
    alice.post(address(world, "run_clone"), {**values, "outside": "yes"})
    assert Run.objects.get(origin="hand").params == {"lr": 5, "layers": 2}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"value.lr": "fast", "value.layers": "2"}, 'lr is "fast"; use a number.'),
        ({"value.lr": "", "value.layers": "2"}, "lr is missing; give every value."),
    ],
)
def test_wrong_values_stand_beside_their_field(alice, world, values, text):
    response = alice.post(address(world, "run_clone"), {**values, "outside": "yes"})

    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert text in page
    assert 'name="outside"' not in page


def test_limits_are_changed_and_shown_as_a_version(alice, world):
    values = {
        "max_total_runs": "90",
        "max_concurrent_runs": "",
        "max_duration_minutes": "60",
    }

    page = alice.post(address(world, "sweep_limits"), values, follow=True).content.decode()

    sweep = Sweep.objects.get(pk=world.sweep.pk)
    assert (sweep.max_total_runs, sweep.max_concurrent_runs) == (90, 90)
    text = " ".join(re.sub(r"<[^>]+>", "", page).split())
    assert "Version 2 max_total_runs from 80 to 90" in text
    assert "to no limit" in text
    assert "max_total_runs: 90" in page


def test_a_limit_below_what_happened_stands_beside_its_field(alice, world):
    values = {"max_total_runs": "1", "max_concurrent_runs": "2", "max_duration_minutes": "x"}

    response = alice.post(address(world, "sweep_limits"), values)

    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert 'max_duration_minutes is "x"; use a number from 1 to 43200.' in page
    values["max_duration_minutes"] = "60"
    page = unescape(alice.post(address(world, "sweep_limits"), values).content.decode())
    assert "runs have been created; use" in page


def test_an_ended_sweep_offers_what_it_still_takes(alice, world):
    cancel_sweep(world.sweep, user=world.alice)
    Run.objects.filter(pk=world.running.pk).update(state="CancelRequested", end_reason="user")
    advance_sweep(world.sweep.pk)

    page = alice.get(reverse("sweep_configuration", args=[world.sweep.public_id])).content.decode()

    assert "/limits/" not in page
    assert "/pause/" not in page
    told_late = told(
        alice.post(address(world, "sweep_limits"), {"max_total_runs": "90"}, follow=True)
    )
    assert len(told_late) == 1
    assert told_late[0].startswith("The sweep ")
