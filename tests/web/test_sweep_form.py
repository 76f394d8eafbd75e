"""The new-sweep form: what it refuses and where, what it creates, rows and preview."""

import json
import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from experiments.models import Membership, Run, Sweep
from experiments.services.compute import register_worker
from tests.factories import (
    make_compute,
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
)
from tests.web.form_world import URL, check, control, form, problems
from tests.web.page_facts import PageFacts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def test_right_form_creates_the_sweep_and_leads_to_it(client, alice, snapshot):
    response = client.post(URL, form(snapshot))

    sweep = Sweep.objects.get()
    assert response.status_code == 302
    assert response.url == sweep.get_absolute_url()
    assert (sweep.name, sweep.owner, sweep.seed) == ("digits · wide", alice, 7)
    assert sweep.snapshot == snapshot
    assert sweep.spec["search_space"] == {
        "lr": "loguniform(-6, -1)",
        "batch": 'choice(16, 32, "auto")',
    }
    assert sweep.spec["early_termination"]["type"] == "bandit"
    assert sweep.spec["early_termination"]["slack_factor"] == 0.1
    assert sweep.spec["sampling"] == {"type": "sobol", "seed": 7}
    assert sweep.spec["arguments"] == ["--epochs", "20"]
    assert sweep.spec["environment"] == {"OMP_NUM_THREADS": "1"}


def test_seed_of_another_method_is_left_out(client, alice, snapshot):
    values = {"search_space-0-type": "choice", "search_space-0-values": "0.1, 0.2"}

    client.post(URL, form(snapshot, sampling="grid", seed="7", **values))

    assert Sweep.objects.get().spec["sampling"] == "grid"


def test_script_gets_the_address_instead_of_a_redirect(client, alice, snapshot):
    response = client.post(URL, form(snapshot), headers={"Accept": "application/json"})

    assert response.status_code == 201
    assert response.json() == {"url": Sweep.objects.get().get_absolute_url()}


def test_every_problem_is_told_at_once_and_nothing_is_created(client, alice, snapshot):
    wrong = form(
        snapshot,
        name="",
        max_total_runs="2000",
        **{"search_space-0-max_value": "-7", "policy-bandit-slack_factor": ""},
    )

    response = client.post(URL, wrong)

    said = " ".join(problems(response))
    assert response.status_code == 422
    assert Sweep.objects.count() == 0
    assert "max_total_runs is 2000" in said.replace("&#x27;", "'")
    assert "loguniform max_value is -7" in said
    assert "slack_factor and slack_amount are both missing" in said
    assert said.count("name is") == 1


def test_refused_form_keeps_all_that_was_typed(client, alice, snapshot):
    typed = form(snapshot, max_total_runs="many", description="why <this>", tags="team=vision")

    response = client.post(URL, typed)

    page = response.content.decode()
    for name, text in (
        ("name", "digits · wide"),
        ("max_total_runs", "many"),
        ("search_space-0-min_value", "-6"),
        ("search_space-1-values", "16, 32, auto"),
        ("policy-bandit-delay_evaluation", "5"),
        ("policy-median_stopping-evaluation_interval", "3"),
    ):
        assert f'value="{text}"' in control(response, name)
    assert "why &lt;this&gt;</textarea>" in page
    assert "team=vision</textarea>" in page
    assert "--epochs 20</textarea>" in page
    assert 'name="policy" value="bandit" checked' in page
    assert 'name="sampling" value="sobol" checked' in page
    assert f'value="{snapshot.digest}" selected' in page
    assert '<option value="loguniform" selected>' in page


def test_problem_stands_at_its_field(client, alice, snapshot):
    response = client.post(URL, form(snapshot, max_concurrent_runs="0"))

    page = response.content.decode()
    field = page[page.index('data-field="max_concurrent_runs"') :][:900]
    assert 'aria-invalid="true"' in control(response, "max_concurrent_runs")
    assert "max_concurrent_runs is 0; use a whole number from 1 to 100" in field
    assert 'href="#max_concurrent_runs"' in page
    assert re.search(r'data-section="s-budget" class="is-bad"', page)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"search_space-0-max_value": "high"}, "search_space-0-max_value", "use a finite number"),
        ({"search_space-1-name": "lr"}, "search_space-1", "is listed 2 times"),
        ({"search_space-1-name": ""}, "search_space-1-name", "has no name"),
        ({"search_space-1-values": ""}, "search_space-1-values", "choice has no values"),
        ({"search_space-0-name": "a b"}, "search_space-0", "white space"),
        ({"sampling": "grid"}, "search_space-0", "grid sampling cannot use loguniform"),
        ({"sampling": "annealing"}, "sampling", "annealing"),
        ({"seed": "-1"}, "seed", "seed is -1"),
        ({"metric": ""}, "metric", "use the exact name"),
        ({"compute": "gpu"}, "compute", "gpu"),
        ({"script": "tran.py"}, "script", "train.py"),
        ({"policy-bandit-slack_amount": "1"}, "policy-bandit-slack_amount", "only one of them"),
        ({"policy-bandit-delay_evaluation": "x"}, "policy-bandit-delay_evaluation", "whole number"),
        ({"run_timeout_minutes": "0"}, "run_timeout_minutes", "run_timeout_minutes is 0"),
        ({"experiment": "a b"}, "experiment", "letters"),
        ({"environment": "1X=2"}, "environment", "1X"),
        ({"snapshot": "ab" * 32}, "snapshot", "There is no snapshot"),
        ({"code": "upload"}, "upload", "Choose a zip file"),
        ({"entry": "command", "command": ""}, "command", "command"),
    ],
)
def test_each_mistake_is_found_where_it_is(client, alice, snapshot, changes, field, message):
    found = check(client, form(snapshot, **changes))["problems"]

    assert any(p["field"] == field and message.lower() in p["message"].lower() for p in found), (
        found
    )
    assert Sweep.objects.count() == 0


def test_check_of_a_right_form_tells_what_will_be_sent(client, alice, snapshot):
    reply = check(client, form(snapshot))

    assert reply["problems"] == []
    assert reply["ready"] == "Ready. 20 runs on local."
    assert reply["scripts"] == ["other.py", "train.py"]
    assert "lr: loguniform(-6, -1)" in reply["yaml"]
    assert json.loads(reply["json"])["max_total_runs"] == 20
    assert {"label": "Compute", "lines": ["local"], "is_code": False} in reply["summary"]
    assert Sweep.objects.count() == 0


def test_check_says_which_methods_do_not_fit_the_space(client, alice, snapshot):
    fits = {fit["name"]: fit for fit in check(client, form(snapshot))["fits"]}

    assert fits["random"]["is_fit"]
    assert fits["grid"] == {
        "name": "grid",
        "text": "Only choice. Change lr",
        "is_fit": False,
        "advice": "",
    }


@pytest.mark.parametrize(
    ("action", "order"),
    [
        ({"action": "add_row"}, ["lr", "batch", ""]),
        ({"remove_row": "0"}, ["batch"]),
        ({"move_down": "0"}, ["batch", "lr"]),
        ({"move_up": "1"}, ["batch", "lr"]),
        ({"move_up": "0"}, ["lr", "batch"]),
        ({"remove_row": "9"}, ["lr", "batch"]),
    ],
)
def test_rows_change_without_scripts(client, alice, snapshot, action, order):
    page = client.post(URL, form(snapshot, **action))

    facts = PageFacts(page.content.decode())
    names = [c["value"] for c in facts.controls if (c.get("name") or "").endswith("-name")]
    assert page.status_code == 200
    assert names == order
    assert Sweep.objects.count() == 0


def test_first_button_of_the_form_starts_the_sweep(client, alice):
    page = client.get(URL).content.decode()

    start = page.index('<form class="newgrid"')
    first = re.search(r'<button[^>]*type="submit"[^>]*>', page[start:])[0]
    assert 'name="action" value="create"' in first


def test_preview_shows_every_row_in_real_units(client, alice):
    reply = client.post(reverse("space_preview"), form()).json()

    lr, batch = reply["rows"]
    assert (lr["low"], lr["high"], lr["count"]) == ("0.00248", "0.368", "∞")
    assert [bar["label"] for bar in batch["bars"]] == ["16", "32", "auto"]
    assert (batch["count"], batch["is_continuous"]) == ("3", False)
    assert reply["draws"]["names"] == ["lr", "batch"]
    assert len(reply["draws"]["values"]) == 5
    assert reply["fixes"] == [[], []]
    assert reply["summary"] == "2 parameters, 1 of them continuous"


def test_preview_of_a_wrong_row_is_empty_and_others_stay(client, alice):
    reply = client.post(reverse("space_preview"), form(**{"search_space-0-max_value": "x"})).json()

    assert reply["rows"][0]["bars"] == []
    assert len(reply["rows"][1]["bars"]) == 3
    assert reply["draws"]["values"] == []


@pytest.mark.parametrize("name", ["sweep_check", "space_preview", "sweep_new"])
def test_readers_and_strangers_cannot_use_the_form(name):
    dora = make_user("dora")
    make_workspace(dora, role=Membership.Role.READER)
    reader, stranger = Client(), Client()
    reader.force_login(dora)

    assert reader.post(reverse(name), form()).status_code == 403
    assert stranger.post(reverse(name), form()).status_code == 302
    assert Sweep.objects.count() == 0


def test_unknown_choices_are_shown_as_they_are(client, alice, snapshot):
    response = client.post(
        URL, form(snapshot, sampling="annealing", compute="gpu", **{"search_space-0-type": "zipf"})
    )

    page = response.content.decode()
    assert 'name="sampling" value="annealing" checked' in page
    assert 'name="compute" value="gpu" checked' in page
    assert '<option value="zipf" selected>zipf</option>' in page


def test_estimate_comes_from_earlier_runs_and_slots(client, alice, snapshot):
    assert check(client, form(snapshot))["estimate"] == ""

    compute = make_compute("local")
    for n in range(2):
        register_worker(compute, name=f"w{n}", host="here", pid=n, process_started=1.0)
    sweep = make_sweep(owner=alice, experiment="digits")
    for seconds in (50, 60, 300):
        run = make_running_run(sweep)
        Run.objects.filter(pk=run.pk).update(
            state="Completed",
            end_reason="finished",
            ended_at=F("started_at") + timedelta(seconds=seconds),
        )

    estimate = check(client, form(snapshot))["estimate"]
    assert estimate == (
        "About 10 min for 20 runs, 2 at a time, at 1 min a run as in earlier sweeps of this "
        "experiment. local has 2 slots: 2 of 4 runs will wait."
    )
    limited = check(client, form(snapshot, max_duration_minutes="5"))["estimate"]
    assert limited.endswith("The limit of 5 min comes first, after about 10 runs.")
    assert check(client, form(snapshot, max_total_runs="many"))["estimate"] == ""
    assert "at 1 min a run" in client.get(URL, {"from": sweep.public_id}).content.decode()
