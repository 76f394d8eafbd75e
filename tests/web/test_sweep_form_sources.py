"""What fills the new-sweep form: YAML, an earlier sweep, an example, a zip or a folder."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from experiments.models import Snapshot, Sweep
from tests.factories import (
    make_compute,
    make_sweep,
    make_user,
    make_workspace,
)
from tests.web.form_world import URL, check, control, form, problems, zip_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


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
