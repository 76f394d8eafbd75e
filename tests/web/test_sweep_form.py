"""The new-sweep form: what fills it, what it refuses and where, what it creates."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.urls import reverse

from experiments.models import Membership, Run, Snapshot, Sweep
from experiments.services.compute import register_worker
from experiments.services.snapshots import snapshot_directory
from tests.factories import (
    make_compute,
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
)
from tests.web.page_facts import PageFacts

pytestmark = pytest.mark.django_db
URL = "/sweeps/new/"


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"


@pytest.fixture
def alice(client):
    alice = make_user("alice")
    make_workspace(alice)
    make_compute("local")
    client.force_login(alice)
    return alice


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)\n")
    (folder / "other.py").write_text("print(2)\n")
    return folder


@pytest.fixture
def snapshot(code):
    return snapshot_directory(code, workspace=make_workspace())


def form(stored=None, **changes):
    """What a browser posts for a sweep that is right."""
    return {
        "name": "digits · wide",
        "experiment": "digits",
        "code": "snapshot",
        "snapshot": stored.digest if stored else "",
        "entry": "script",
        "script": "train.py",
        "arguments": "--epochs 20",
        "environment": "OMP_NUM_THREADS=1",
        "search_space-0-name": "lr",
        "search_space-0-type": "loguniform",
        "search_space-0-min_value": "-6",
        "search_space-0-max_value": "-1",
        "search_space-1-name": "batch",
        "search_space-1-type": "choice",
        "search_space-1-values": "16, 32, auto",
        "sampling": "sobol",
        "seed": "7",
        "metric": "accuracy",
        "goal": "maximize",
        "policy": "bandit",
        "policy-bandit-slack_factor": "0.1",
        "policy-bandit-delay_evaluation": "5",
        "policy-median_stopping-evaluation_interval": "3",
        "compute": "local",
        "max_total_runs": "20",
        "max_concurrent_runs": "4",
        "max_duration_minutes": "60",
        **changes,
    }


def zip_of(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return SimpleUploadedFile("code.zip", buffer.getvalue(), content_type="application/zip")


def problems(response):
    """The (path or sentence, message) pairs of the list above the form."""
    page = response.content.decode()
    found = page[page.index('id="problem-list"') : page.index("</ul>", page.index("problem-list"))]
    return [re.sub(r"<[^>]+>", "", item) for item in re.findall(r"<li>(.*?)</li>", found)]


def control(response, name):
    page = response.content.decode()
    return re.search(rf'<(?:input|textarea|select)[^>]* name="{re.escape(name)}"[^>]*>', page)[0]


def check(client, data):
    return client.post(reverse("sweep_check"), data, headers={"Accept": "application/json"}).json()


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
    assert fits["grid"] == {"name": "grid", "text": "Only choice. Change lr", "is_fit": False}


def test_yaml_fills_the_form(client, alice, snapshot):
    yaml = """\
# a comment
name: from yaml
experiment: digits
script: train.py
search_space:
  lr: uniform(0, 1)
  batch: {type: choice, values: [1, 2]}
primary_metric: {name: loss, goal: minimize}
early_termination: {type: median_stopping, delay_evaluation: 3}
max_total_runs: 2000
"""
    reply = check(client, form(snapshot, action="load_yaml", yaml=yaml))

    texts = reply["fields"]["texts"]
    assert (texts["name"], texts["metric"], texts["goal"]) == ("from yaml", "loss", "minimize")
    assert (texts["policy"], texts["policy-median_stopping-delay_evaluation"]) == (
        "median_stopping",
        "3",
    )
    # The YAML names no code: the chosen one stays.
    assert (texts["code"], texts["snapshot"]) == ("snapshot", snapshot.digest)
    assert reply["fields"]["rows"][1] == {
        "name": "batch",
        "type": "choice",
        "texts": {"values": "1, 2"},
    }
    assert [(p["line"], p["field"]) for p in reply["problems"]] == [(10, "max_total_runs")]


def test_yaml_of_an_azure_sweep_job_fills_the_form(client, alice, snapshot):
    make_compute("gpu-box")
    yaml = """\
type: sweep
compute: azureml:gpu-box
trial:
  command: python train.py --lr ${{search_space.lr}}
  code: ./src
sampling_algorithm: random
search_space:
  lr: {type: uniform, min_value: 0.1, max_value: 0.9}
objective: {primary_metric: accuracy, goal: maximize}
limits: {max_total_trials: 8, max_concurrent_trials: 2}
"""
    texts = check(client, form(snapshot, action="load_yaml", yaml=yaml))["fields"]["texts"]

    assert texts["entry"] == "command"
    assert (texts["max_total_runs"], texts["max_concurrent_runs"]) == ("8", "2")
    assert texts["compute"] == "gpu-box"


@pytest.mark.parametrize(
    ("yaml", "line"), [("name: [1,\nother: 2", 2), ("- a\n- b", None), ("a: 1\na: 2", 2)]
)
def test_yaml_that_cannot_be_read_leaves_the_form_alone(client, alice, snapshot, yaml, line):
    reply = check(client, form(snapshot, action="load_yaml", yaml=yaml))

    assert list(reply) == ["problems"]
    assert [(p["line"], p["unreadable"]) for p in reply["problems"]] == [(line, True)]


def test_yaml_fills_the_form_without_scripts_too(client, alice, snapshot):
    yaml = "name: from yaml\nscript: train.py\nmax_total_runs: 3\n"

    response = client.post(URL, form(snapshot, action="load_yaml", yaml=yaml))
    assert 'value="from yaml"' in control(response, "name")
    assert "search_space is empty" in " ".join(problems(response))

    broken = client.post(URL, form(snapshot, action="load_yaml", yaml="name: ["))
    assert broken.status_code == 422
    assert "name: [</textarea>" in broken.content.decode()
    assert 'value="digits · wide"' in control(broken, "name")


def test_uploaded_zip_is_the_code_of_the_sweep(client, alice):
    upload = zip_of(train__py="print(1)")

    response = client.post(URL, form(code="upload", upload=upload))
    sweep = Sweep.objects.get()
    assert response.url == sweep.get_absolute_url()
    assert sweep.snapshot.file_count == 1


@pytest.mark.parametrize(
    ("upload", "message"),
    [
        (SimpleUploadedFile("code.zip", b"no zip"), "not a zip that can be read"),
        (zip_of(**{"..__py": "x"}), "train.py"),
        (zip_of(other__py="x"), "is not in the zip, which has other.py"),
    ],
)
def test_wrong_zip_is_told_together_with_other_problems(client, alice, upload, message):
    upload.seek(0)

    response = client.post(URL, form(code="upload", upload=upload, max_total_runs="0"))
    said = " ".join(problems(response))
    assert message in said
    assert "max_total_runs is 0" in said
    assert "choose it again" in response.content.decode()
    assert Snapshot.objects.count() == Sweep.objects.count() == 0


def test_checking_does_not_need_the_zip_itself(client, alice):
    reply = check(client, form(code="upload", upload_name="code.zip"))

    assert reply["problems"] == []


def test_folder_on_the_machine_is_for_administrators(client, alice, code):
    posted = form(code="folder", source_directory=str(code))
    refused = check(client, posted)
    assert [p["field"] for p in refused["problems"]] == ["source_directory"]
    assert 'name="source_directory"' not in client.get(URL).content.decode()

    root = make_user("root", is_superuser=True)
    client.force_login(root)
    assert check(client, posted)["scripts"] == ["other.py", "train.py"]
    assert client.post(URL, posted).url == Sweep.objects.get().get_absolute_url()


def test_duplicate_is_filled_with_the_sweep_and_its_code(client, alice, snapshot):
    client.post(URL, form(snapshot, description="first try"))
    original = Sweep.objects.get()

    page = client.get(URL, {"from": original.public_id})
    text = page.content.decode()
    assert "Filled from “digits · wide”" in text
    assert 'value="16, 32, auto"' in control(page, "search_space-1-values")
    assert 'value="0.1"' in control(page, "policy-bandit-slack_factor")
    assert f'value="{snapshot.digest}" selected' in text
    assert "first try" in text


def test_duplicate_of_a_foreign_sweep_is_not_found(client, alice):
    charlie = make_user("charlie")
    theirs = make_sweep(owner=charlie, workspace=make_workspace(charlie, name="Elsewhere"))

    assert client.get(URL, {"from": theirs.public_id}).status_code == 404
    assert client.get(URL, {"from": "HD_none"}).status_code == 404


def test_form_offers_code_of_own_sweeps_only(client, alice, snapshot):
    charlie = make_user("charlie")
    make_sweep(owner=charlie, workspace=make_workspace(charlie, name="Elsewhere"), name="secret")
    client.post(URL, form(snapshot))

    page = client.get(URL).content.decode()
    assert "secret" not in page
    assert snapshot.digest in page


def test_example_fills_the_form_for_administrators(client, alice, settings, tmp_path):
    settings.BASE_DIR = tmp_path
    example = tmp_path / "examples" / "tiny"
    example.mkdir(parents=True)
    (example / "sweep.yaml").write_text(
        "name: tiny\nscript: train.py\nsearch_space: {x: 'uniform(0, 1)'}\n"
        "primary_metric: {name: loss, goal: minimize}\nmax_total_runs: 3\n"
    )
    # Not for people who may not name folders of the machine.
    assert 'value="tiny"' not in control(client.get(URL, {"example": "tiny"}), "name")

    client.force_login(make_user("root", is_superuser=True))
    page = client.get(URL, {"example": "tiny"})
    assert 'value="tiny"' in control(page, "name")
    assert f'value="{example}"' in control(page, "source_directory")
    assert client.get(URL, {"example": "../tiny"}).status_code == 404


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
    assert reply["names"] == ["lr", "batch"]
    assert len(reply["draws"]) == 5
    assert reply["summary"] == "2 parameters, 1 of them continuous"


def test_preview_of_a_wrong_row_is_empty_and_others_stay(client, alice):
    reply = client.post(reverse("space_preview"), form(**{"search_space-0-max_value": "x"})).json()

    assert reply["rows"][0]["bars"] == []
    assert len(reply["rows"][1]["bars"]) == 3
    assert reply["draws"] == []


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
