"""Pages of the trash and of outputs: what they show, who may do what, without any script."""

import json
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from experiments import queries
from experiments.models import Membership, Removal, Run, Sweep
from experiments.services.models import register_model
from experiments.services.purge import delete_for_good
from experiments.services.removals import carry_on
from experiments.services.trash import trash_sweep
from tests.factories import make_sweep, make_user, make_workspace
from tests.services.ended_sweeps import ended_sweep
from tests.web.page_facts import PageFacts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings, tmp_path) -> Path:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return settings.STUDIO_STORAGE_ROOT


@pytest.fixture
def alice():
    alice = make_user("alice")
    make_workspace(alice)
    return alice


@pytest.fixture
def site(client, alice) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def bob(alice) -> Client:
    bob = make_user("bob")
    make_workspace(bob, role=Membership.Role.READER)
    reader = Client()
    reader.force_login(bob)
    return reader


@pytest.fixture
def charlie() -> Client:
    charlie = make_user("charlie")
    make_workspace(charlie, name="Elsewhere")
    other = Client()
    other.force_login(charlie)
    return other


def text_of(response) -> str:
    return " ".join(unescape(response.content.decode()).split())


def test_sweep_goes_to_the_trash_and_back_without_scripts(site, alice):
    sweep, live = ended_sweep(0.5, owner=alice, name="<b>old</b>"), make_sweep(owner=alice)
    both = {"sweep": [sweep.public_id, live.public_id], "next": "/sweeps/?state=Canceled"}

    page = site.post("/trash/move/", both, follow=True)
    assert page.redirect_chain[0][0] == f"/sweeps/?state=Canceled&trashed={sweep.public_id}"
    assert "“<b>old</b>” is in the trash." in text_of(page)
    assert 'The sweep "digits" is running. Only sweeps that have ended' in text_of(page)

    shown = site.get("/trash/")
    facts = PageFacts(shown.content.decode())
    assert [one for one, count in facts.ids.items() if count > 1] == []
    assert facts.unlabelled() == []
    assert facts.inline == []
    assert "<b>old</b>" not in shown.content.decode()
    assert "1 run" in text_of(shown)
    assert "≈ 1.6 kB" in text_of(shown)
    assert "by alice" in text_of(shown)
    assert "in 30 days" in text_of(shown)

    lost = site.get(sweep.get_absolute_url())
    assert lost.status_code == 404
    assert "is in the trash" in text_of(lost)
    assert site.get(f"/runs/{sweep.public_id}_0/").status_code == 404

    back = site.post("/trash/restore/", {"sweep": sweep.public_id}, follow=True)
    assert back.redirect_chain == [(sweep.get_absolute_url(), 302)]
    assert back.status_code == 200
    assert "The trash is empty" in text_of(site.get("/trash/"))


def test_scripts_hear_what_was_moved_and_what_not(site, alice):
    sweep, live = ended_sweep(0.5, owner=alice), make_sweep(owner=alice, name="live")

    answer = site.post(
        "/trash/move/",
        {"only": sweep.public_id, "sweep": live.public_id},
        headers={"accept": "application/json"},
    )
    assert json.loads(answer.content) == {
        "moved": [{"id": sweep.public_id, "name": "digits"}],
        "refused": [],
    }
    answer = site.post(
        "/trash/move/", {"sweep": live.public_id}, headers={"accept": "application/json"}
    )
    refused = json.loads(answer.content)["refused"]
    assert [one["url"] for one in refused] == [live.get_absolute_url()]


def test_deleting_for_good_names_what_is_lost_and_tells_what_was_freed(site, alice):
    sweep = ended_sweep(0.5, 0.6, owner=alice)
    register_model(sweep.runs.get(number=0), name="digits", user=alice)
    trash_sweep(sweep, user=alice)

    page = text_of(site.get("/trash/"))
    assert "2 runs with metrics, logs, decisions and outputs (≈ 3.2 kB) are lost." in page
    assert "1 model version registered from it stays." in page

    done = text_of(site.post("/trash/delete/", {"sweep": sweep.public_id}, follow=True))
    assert "“digits” is deleted for good, 3.2 kB freed." in done
    assert "digits with 2 runs" in done  # what was removed, by whom and when
    assert not Sweep.objects.exists()


def test_empty_trash_asks_with_numbers_and_leaves_what_is_needed(site, alice):
    first, second = ended_sweep(0.5, owner=alice), ended_sweep(0.6, owner=alice, name="needed")
    make_sweep(owner=alice, name="later", resume_from=[second.public_id])
    for sweep in (first, second):
        trash_sweep(sweep, user=alice)
    assert "2 sweeps with all runs, metrics, logs and outputs (≈ 3.2 kB) are deleted" in text_of(
        site.get("/trash/")
    )

    page = text_of(site.post("/trash/empty/", {"workspace": "team"}, follow=True))

    assert '"later"' in page
    assert "is live and goes on from" in page
    assert list(queries.trashed_for(alice)) == [second]


def test_page_of_a_deletion_that_goes_on_shows_how_far_it_is(site, alice, settings):
    settings.STUDIO_TRASH_DAYS = 0
    sweep = ended_sweep(0.5, 0.6, owner=alice)
    trash_sweep(sweep, user=alice)
    assert "by hand only" in text_of(site.get("/trash/"))
    removal = carry_on(delete_for_good(sweep, user=alice), seconds=0)

    page = site.get("/trash/", headers={"X-Fragment": "1"}).content.decode()
    assert "Being deleted: 0 of 2 runs" in " ".join(page.split())
    assert "data-going-on" in page
    Removal.objects.filter(pk=removal.pk).update(problem="[Errno 13] Permission denied: '/x'")
    assert "Permission denied" in text_of(site.get("/trash/"))
    assert "Restore" not in text_of(site.get("/trash/"))
    answer = site.post("/trash/restore/", {"sweep": sweep.public_id}, follow=True)
    assert "being deleted for good; it cannot come back" in text_of(answer)


def test_readers_look_and_change_nothing(site, bob, alice):
    sweep, kept = ended_sweep(0.5, owner=alice), ended_sweep(0.6, owner=alice, name="kept")
    trash_sweep(sweep, user=alice)
    run = kept.runs.get()

    page = text_of(bob.get("/trash/"))
    assert "≈ 1.6 kB" in page
    assert "Restore" not in page
    assert "Empty trash" not in page
    assert "Move to trash" not in text_of(bob.get("/sweeps/")) + text_of(
        bob.get(kept.get_absolute_url())
    )
    assert "Remove outputs" not in text_of(bob.get(run.get_absolute_url()))
    forbidden = [
        ("/trash/move/", {"sweep": kept.public_id}),
        ("/trash/restore/", {"sweep": sweep.public_id}),
        ("/trash/delete/", {"sweep": sweep.public_id}),
        ("/trash/empty/", {"workspace": "team"}),
        (f"/sweeps/{kept.public_id}/outputs/", {"best": 0}),
        (f"/runs/{run.public_id}/outputs/remove/", {}),
    ]
    assert [bob.post(path, data).status_code for path, data in forbidden] == [403] * 6
    assert Sweep.objects.get(pk=sweep.pk).purging_at is None
    assert not Removal.objects.exists()


def test_other_workspaces_see_nothing_of_it(site, charlie, alice):
    sweep, kept = ended_sweep(0.5, owner=alice), ended_sweep(0.6, owner=alice, name="kept")
    trash_sweep(sweep, user=alice)
    carry_on(delete_for_good(sweep, user=alice), seconds=0)
    run = kept.runs.get()

    page = text_of(charlie.get("/trash/"))
    assert "The trash is empty" in page
    assert "digits" not in page
    missing = [
        ("/trash/move/", {"sweep": kept.public_id}),
        ("/trash/restore/", {"sweep": sweep.public_id}),
        ("/trash/delete/", {"sweep": sweep.public_id}),
        ("/trash/empty/", {"workspace": "team"}),
        (f"/sweeps/{kept.public_id}/outputs/", {"best": 0}),
        (f"/runs/{run.public_id}/outputs/remove/", {}),
    ]
    answers = [charlie.post(path, data) for path, data in missing]
    assert [answer.status_code for answer in answers] == [404] * 6
    hidden = charlie.get(sweep.get_absolute_url())
    assert hidden.status_code == 404
    assert "in the trash" not in text_of(hidden)


def test_outputs_of_a_run_are_removed_on_its_page(site, alice):
    run = ended_sweep(0.5, owner=alice).runs.get()

    assert "(1.5 kB) is removed for good" in text_of(site.get(run.get_absolute_url()))
    page = text_of(site.post(f"/runs/{run.public_id}/outputs/remove/", follow=True))

    assert "Outputs of 1 run removed, 1.5 kB freed." in page
    assert "The outputs were removed" in page
    assert "by alice" in page
    assert "logs/std_log.txt" in page
    assert "Remove outputs" not in page
    again = text_of(site.post(f"/runs/{run.public_id}/outputs/remove/", follow=True))
    assert "Run 0 has no outputs to remove." in again


def test_keeping_the_best_shows_first_what_it_would_do(site, alice):
    sweep = ended_sweep(0.5, 0.9, 0.7, owner=alice)
    address = f"/sweeps/{sweep.public_id}/outputs/"

    page = text_of(site.get(f"{address}?best=1"))
    assert "1 run, ≈ 1.5 kB" in " ".join(
        page.replace("<small>", "").replace("</small>", "").split()
    )
    assert "≈ 3.0 kB" in page
    assert "Remove outputs of 2 runs" in page
    wrong = site.post(address, {"best": "many"})
    assert wrong.status_code == 422
    assert 'The number of runs that keep their outputs is "many"; use 0 to 1000.' in text_of(wrong)

    done = text_of(site.post(address, {"best": "1"}, follow=True))
    assert "Outputs of 2 runs removed, 3.0 kB freed." in done
    left = Run.objects.filter(sweep=sweep, outputs_removal__isnull=True)
    assert [run.number for run in left] == [1]
    lost = text_of(site.get(sweep.runs.get(number=0).get_absolute_url()))
    assert "by alice, with those of all runs but the best 1." in lost


def test_rule_of_a_live_sweep_is_set_and_taken_back(site, alice):
    sweep = make_sweep(owner=alice)
    address = f"/sweeps/{sweep.public_id}/outputs/"

    assert "those of the best 3 runs at its end" in text_of(site.get(address))
    page = text_of(site.post(address, {"best": "2"}, follow=True))
    assert Sweep.objects.get().keep_outputs_of_best == 2
    assert "Chosen now: the best 2 runs keep their outputs." in page
    assert "Keep all outputs" in page
    site.post(address, {"best": "2", "none": "1"})
    assert Sweep.objects.get().keep_outputs_of_best is None


def test_old_addresses_of_removed_sweeps_and_odd_ids_are_plain_404s(site, alice):
    sweep = ended_sweep(0.5, owner=alice)
    trash_sweep(sweep, user=alice)
    Sweep.objects.update(trashed_at=timezone.now() - timedelta(days=40))
    carry_on(delete_for_good(sweep, user=alice), seconds=60)

    for path in (
        sweep.get_absolute_url(),
        "/sweeps/HD_none/",
        "/runs/x/",
        "/sweeps/a%00b/",
        "/runs/a%00b/",
    ):
        answer = site.get(path)
        assert answer.status_code == 404
        assert "in the trash" not in text_of(answer)
    for ids in (["HD_none"], ["a\x00b"], ["x"] * 500):
        assert site.post("/trash/move/", {"sweep": ids}).status_code == 404
