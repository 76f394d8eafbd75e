"""Warm starts in the browser: the section of the form, the details on pages, the way over REST."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.test import Client

from experiments.forms.sweep_fields import fields_from_post
from experiments.forms.warm_start import warm_start_offers
from experiments.models import Sweep
from experiments.services.access import make_api_token
from experiments.services.advance import advance_sweep
from experiments.services.snapshots import snapshot_directory
from experiments.spec import SweepSpec
from experiments.spec_export import EXPORT_FORMATS, export_spec
from tests.earlier_sweeps import make_ended_sweep, run_of
from tests.factories import (
    SPEC,
    make_compute,
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
    report,
)

pytestmark = pytest.mark.django_db
NEW = "/sweeps/new/"


@pytest.fixture
def alice(client, settings, tmp_path):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    alice = make_user("alice")
    make_workspace(alice)
    make_compute()
    client.force_login(alice)
    return alice


@pytest.fixture
def snapshot(alice, tmp_path):
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)\n")
    return snapshot_directory(folder, workspace=make_workspace())


@pytest.fixture
def earlier(alice, tmp_path):
    return make_ended_sweep([0.5], [0.8], folder=tmp_path / "runs", name="grandmother")


def form(snapshot, **changes) -> dict[str, str]:
    """What a browser posts for a sweep like SPEC."""
    return {
        "name": "again",
        "experiment": "digits",
        "code": "snapshot",
        "snapshot": snapshot.digest,
        "entry": "script",
        "script": "train.py",
        "compute": "local",
        "search_space-0-name": "lr",
        "search_space-0-type": "uniform",
        "search_space-0-min_value": "0",
        "search_space-0-max_value": "1",
        "search_space-1-name": "layers",
        "search_space-1-type": "choice",
        "search_space-1-values": "1, 2, 3",
        "sampling": "random",
        "metric": "accuracy",
        "goal": "maximize",
        "policy": "none",
        "max_total_runs": "4",
        "action": "create",
        **changes,
    }


@pytest.mark.parametrize(
    ("sampling", "policy", "says"),
    [
        ("random", "none", "Random sampling does not learn from them. Without early termination"),
        ("grid", "bandit", "Grid sampling does not learn from them. Early termination compares"),
        ("bayesian", "none", "learns from their runs, if their search space is identical."),
        ("bayesian_extended", "bandit", "learns from their runs. Early termination compares"),
    ],
)
def test_section_says_what_is_taken_over(alice, snapshot, sampling, policy, says):
    fields = fields_from_post(form(snapshot, sampling=sampling, policy=policy))

    assert says in warm_start_offers(fields, alice).says


def offers(response, name: str) -> dict[str, tuple[bool, bool]]:
    """Return (is chosen, is disabled) of each offered id."""
    buttons = re.findall(rf'<button[^>]*name="{name}"[^>]*>', response.text)
    return {
        re.search(r'value="([^"]*)"', button)[1]: ('"true"' in button, " disabled" in button)
        for button in buttons
    }


def textarea(response, name: str) -> str:
    found = re.search(rf'<textarea[^>]*id="{name}"[^>]*>\n(.*?)</textarea>', response.text, re.S)
    return html.unescape(found[1])


def test_form_offers_ended_sweeps_and_says_why_others_cannot_be_chosen(client, earlier, snapshot):
    failed = make_ended_sweep(state="Failed")
    running = make_sweep()
    other = make_ended_sweep(primary_metric={"name": "loss", "goal": "minimize"})

    page = client.post(NEW, {**form(snapshot), "action": "add_row"})

    assert offers(page, "toggle_sweep") == {
        other.public_id: (False, True),
        running.public_id: (False, True),
        failed.public_id: (False, True),
        earlier.public_id: (False, False),
    }
    for reason in ("Has failed; only completed", "Is Running; only", "Has the primary metric"):
        assert reason in page.text
    assert "best accuracy 0.8" in page.text


def test_sixth_sweep_is_one_too_many(client, alice, snapshot):
    sweeps = [make_ended_sweep() for _ in range(6)]
    ids = "\n".join(sweep.public_id for sweep in sweeps[:5])

    page = client.post(NEW, {**form(snapshot), "resume_from": ids, "action": "add_row"})

    assert offers(page, "toggle_sweep")[sweeps[5].public_id] == (False, True)
    assert "at most 5 can be chosen" in page.text


def test_buttons_work_without_scripts_and_open_the_runs_of_a_sweep(client, earlier, snapshot):
    posted = form(snapshot)

    page = client.post(NEW, {**posted, "toggle_sweep": earlier.public_id})
    assert textarea(page, "resume_from") == earlier.public_id
    assert offers(page, "toggle_sweep")[earlier.public_id] == (True, False)
    assert list(offers(page, "toggle_run")) == [f"{earlier.public_id}_1", f"{earlier.public_id}_0"]

    posted["resume_from"] = earlier.public_id
    page = client.post(NEW, {**posted, "toggle_run": f"{earlier.public_id}_0"})
    assert textarea(page, "resume_child_runs") == f"{earlier.public_id}_0"
    assert offers(page, "toggle_run")[f"{earlier.public_id}_0"] == (True, False)

    page = client.post(NEW, {**posted, "toggle_sweep": earlier.public_id})
    assert textarea(page, "resume_from") == ""


def test_run_without_outputs_cannot_be_chosen(client, earlier, snapshot):
    run = run_of(earlier, 0)
    type(run).objects.filter(pk=run.pk).update(directory="")

    page = client.post(NEW, {**form(snapshot), "toggle_sweep": earlier.public_id})

    assert offers(page, "toggle_run")[run.public_id] == (False, True)
    assert "Has left no file in ./outputs" in page.text


def test_form_creates_a_warm_sweep(client, earlier, snapshot):
    posted = form(
        snapshot,
        resume_from=f" {earlier.public_id} ",
        resume_child_runs=f"{earlier.public_id}_1,{earlier.public_id}_0",
    )

    response = client.post(NEW, posted)

    sweep = Sweep.objects.get(name="again")
    assert response.url == sweep.get_absolute_url()
    assert sweep.spec["resume_from"] == [earlier.public_id]
    assert [r.source_public_id for r in sweep.resumptions.all()] == [
        f"{earlier.public_id}_1",
        f"{earlier.public_id}_0",
    ]


def test_refused_form_shows_the_problems_at_their_fields_and_keeps_the_ids(
    client, earlier, snapshot
):
    ids = f"{earlier.public_id}\nHD_nowhere"

    page = client.post(NEW, form(snapshot, resume_from=ids, resume_child_runs="HD_x_1"))

    assert page.status_code == 422
    assert textarea(page, "resume_from") == ids
    assert textarea(page, "resume_child_runs") == "HD_x_1"
    notes = re.search(r'id="resume_from-notes".*?</div>', page.text, re.S)[0]
    assert "There is no sweep &quot;HD_nowhere&quot; in this workspace" in notes
    assert 'href="#s-warm" data-section="s-warm" class="is-bad"' in page.text
    assert not Sweep.objects.filter(name="again").exists()


def test_yaml_takes_the_ids_both_ways(client, earlier, snapshot):
    posted = {**form(snapshot, resume_from=earlier.public_id), "upload_name": ""}
    checked = client.post(f"{NEW}check/", posted).json()
    assert f"resume_from: [{earlier.public_id}]\n" in checked["yaml"]
    assert checked["problems"] == []
    assert checked["offers"]["sweeps"][0]["is_chosen"] is True

    text = checked["yaml"] + f"resume_child_runs: [{earlier.public_id}_1]\n"
    reply = client.post(f"{NEW}check/", {**posted, "action": "load_yaml", "yaml": text}).json()

    assert reply["problems"] == []
    texts = reply["fields"]["texts"]
    assert texts["resume_from"] == earlier.public_id
    assert texts["resume_child_runs"] == f"{earlier.public_id}_1"
    assert {"label": "Warm start", "lines": ["1 earlier sweep, 1 resumed run"]}.items() <= next(
        entry for entry in reply["summary"] if entry["label"] == "Warm start"
    ).items()


def test_duplicate_keeps_the_warm_start(client, earlier):
    warm = make_sweep(resume_from=[earlier.public_id], resume_child_runs=[f"{earlier.public_id}_0"])

    page = client.get(NEW, {"from": warm.public_id})

    assert textarea(page, "resume_from") == earlier.public_id
    assert textarea(page, "resume_child_runs") == f"{earlier.public_id}_0"


def test_ended_sweep_and_run_lead_to_a_form_that_goes_on_from_them(client, earlier):
    assert f"{NEW}?continue={earlier.public_id}" in client.get(earlier.get_absolute_url()).text
    page = client.get(NEW, {"continue": earlier.public_id})
    assert textarea(page, "resume_from") == earlier.public_id

    run = run_of(earlier, 1)
    assert f"{NEW}?resume={run.public_id}" in client.get(run.get_absolute_url()).text
    page = client.get(NEW, {"resume": run.public_id})
    assert textarea(page, "resume_from") == ""
    assert textarea(page, "resume_child_runs") == run.public_id


def test_stranger_is_offered_nothing_and_finds_nothing(earlier, snapshot):
    mallory = make_user("mallory")
    make_workspace(mallory, name="Elsewhere")
    client = Client()
    client.force_login(mallory)

    assert client.get(NEW, {"continue": earlier.public_id}).status_code == 404
    assert client.get(NEW, {"resume": f"{earlier.public_id}_0"}).status_code == 404
    posted = form(
        snapshot, resume_from=earlier.public_id, resume_child_runs=f"{earlier.public_id}_0"
    )
    page = client.post(NEW, posted)
    assert page.status_code == 422
    assert offers(page, "toggle_sweep") == {}
    assert offers(page, "toggle_run") == {}
    assert "grandmother" not in page.text


def test_offers_cost_the_same_however_many_sweeps_there_are(
    earlier, snapshot, alice, django_assert_max_num_queries
):
    for _ in range(10):
        make_ended_sweep()
    fields = fields_from_post(form(snapshot, resume_from=earlier.public_id))

    with django_assert_max_num_queries(7):
        found = warm_start_offers(fields, alice)

    assert (len(found.sweeps), len(found.groups)) == (11, 1)


def test_pages_show_where_a_sweep_comes_from_and_who_goes_on(client, earlier):
    warm = make_sweep(
        name="the second",
        resume_from=[earlier.public_id],
        resume_child_runs=[f"{earlier.public_id}_1"],
    )
    advance_sweep(warm.pk)
    base = warm.get_absolute_url()

    for url in (base, f"{base}configuration/"):
        text = client.get(url).text
        assert "Warm-start details" in text
        assert (
            f'<a href="{earlier.get_absolute_url()}" title="{earlier.public_id}">grandmother</a>'
            in text
        )
        assert run_of(earlier, 1).get_absolute_url() in text
        # It has no value of its own yet; its best run stays its own.
        assert "Run 1 of grandmother</a>, which this sweep goes on from, is better" in text
        assert ">0.8000</span>" in text
    there = client.get(earlier.get_absolute_url()).text
    assert "Continued by" in there
    assert "the second" in there
    run = warm.runs.get(number=0)
    text = client.get(run.get_absolute_url()).text
    assert "<dt>Resumed from</dt>" in text
    assert "Run 1 of grandmother</a>" in text
    assert "<dt>Resumed as</dt>" in client.get(run_of(earlier, 1).get_absolute_url()).text


def test_line_about_a_better_run_goes_away_when_the_own_best_is_better(client, earlier):
    warm = make_sweep(resume_from=[earlier.public_id])
    report(make_running_run(warm), [0.9])

    text = client.get(warm.get_absolute_url()).text

    assert "Warm-start details" in text
    assert "which this sweep goes on from, is better" not in text


def test_sweep_without_a_warm_start_says_so_in_its_configuration_only(client, alice):
    plain = make_sweep()

    overview = client.get(plain.get_absolute_url()).text
    text = client.get(f"{plain.get_absolute_url()}configuration/").text

    assert "Warm-start details" not in overview
    assert "<dt>Goes on from</dt><dd>–</dd>" in text
    assert "<dt>Resumed runs</dt><dd>–</dd>" in text
    assert "Continued by" not in text


def test_every_export_keeps_the_warm_start(earlier):
    run_id = f"{earlier.public_id}_1"
    spec = SweepSpec.parse(
        {**SPEC, "resume_from": [earlier.public_id], "resume_child_runs": [run_id]}
    )

    texts = {name: export_spec(spec, name).text for name in EXPORT_FORMATS}

    for name in ("yaml", "json", "python"):
        assert earlier.public_id in texts[name]
        assert run_id in texts[name]
    assert SweepSpec.parse(texts["yaml"]).resume_child_runs == [run_id]
    assert json.loads(texts["json"])["resume_from"] == [earlier.public_id]
    compile(texts["python"], "program.py", "exec")
    assert "a job cannot continue earlier sweeps" in texts["azure"]


def test_rest_submits_and_reads_a_warm_start(earlier, snapshot, alice):
    token = make_api_token(alice, name="t", scope="write")[1]
    headers = {"Authorization": f"Bearer {token}"}
    body = {
        **{key: value for key, value in SPEC.items() if key != "source_directory"},
        "snapshot": snapshot.digest,
        "resume_from": earlier.public_id,
        "resume_child_runs": [f"{earlier.public_id}_1", "HD_x_1"],
    }
    client = Client()

    def post(content):
        return client.post(
            "/api/v1/sweeps", json.dumps(content), "application/json", headers=headers
        )

    refused = post(body)
    assert refused.status_code == 422
    assert [e["path"] for e in refused.json()["errors"]] == ["resume_child_runs[1]"]

    made = post({**body, "resume_child_runs": [f"{earlier.public_id}_1"]})
    assert made.status_code == 201
    sweep = made.json()
    assert sweep["resume_from"] == [earlier.public_id]
    assert sweep["resume_child_runs"] == [f"{earlier.public_id}_1"]
    assert sweep["best_run"] is None

    base = f"/api/v1/sweeps/{sweep['id']}"
    best = client.get(f"{base}/best-run", headers=headers).json()
    assert (best["id"], best["sweep"], best["value"]) == (
        f"{earlier.public_id}_1",
        earlier.public_id,
        0.8,
    )
    own = client.get(f"{base}/best-run?include_resume_from_runs=false", headers=headers)
    assert own.json() is None
    parent = f"/api/v1/sweeps/{earlier.public_id}/best-run"
    assert client.get(f"{parent}?include_failed=false", headers=headers).json()["number"] == 1
