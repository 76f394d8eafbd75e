"""What the new-sweep form says about the chosen script, with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from experiments.forms.sweep_check import scripts_of
from experiments.forms.sweep_fields import fields_from_post
from experiments.models import Membership, Sweep
from experiments.services.workspaces import choose_workspace
from tests.factories import make_user, make_workspace
from tests.web.page_facts import PageFacts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]
SCRIPT = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.001, help="step <size>")
parser.add_argument("--weight-decay", type=float, default=0.0)
parser.add_argument("--opt", choices=["sgd", "adam"])
parser.add_argument("--data")
run.log("accuracy", 1)
run.log("loss", 1)
raise SystemExit("never run")
"""


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    (folder / "broken.py").write_text("def f(:\n")
    (folder / ".amlignore").write_text("secret.py\n")
    (folder / "secret.py").write_text(SCRIPT)
    (tmp_path / "outside.py").write_text(SCRIPT)
    return folder


def fields(stored=None, **changes):
    return {
        "code": "snapshot",
        "snapshot": stored.digest if stored else "",
        "entry": "script",
        "script": "train.py",
        "search_space-0-name": "lr",
        "search_space-0-type": "uniform",
        "search_space-0-min_value": "0",
        "search_space-0-max_value": "1",
        "search_space-1-name": "weight_decay",
        "search_space-1-type": "uniform",
        **changes,
    }


def ask(client, data):
    return client.post(reverse("script_facts"), data, headers={"Accept": "application/json"}).json()


def test_script_of_a_snapshot_offers_rows_metrics_and_warnings(client, alice, snapshot):
    found = ask(client, fields(snapshot))

    assert found == {
        "script": "train.py",
        "problem": "",
        "offered": [
            {
                "name": "weight-decay",
                "kind": "float = 0.0",
                "help": "",
                "type": "uniform",
                "texts": {"min_value": "0", "max_value": "0.5"},
            },
            {
                "name": "opt",
                "kind": "choice",
                "help": "",
                "type": "choice",
                "texts": {"values": "sgd, adam"},
            },
        ],
        "metrics": ["accuracy", "loss"],
        "undeclared": {
            "1": "The script declares no argument --weight_decay; it has --weight-decay."
        },
    }


def test_first_row_is_offered_with_default_and_help(client, alice, snapshot):
    first = ask(client, fields(snapshot, **{"search_space-0-name": ""}))["offered"][0]

    assert (first["name"], first["kind"], first["help"]) == ("lr", "float = 0.001", "step <size>")
    assert first["texts"] == {"min_value": "-9.21", "max_value": "-4.61"}


def test_script_of_a_command_is_found_and_its_options_are_its_own(client, alice, snapshot):
    command = "python -u './train.py' --x ${{search_space.weight_decay}}"

    found = ask(client, fields(snapshot, entry="command", command=command))

    assert found["script"] == "train.py"
    assert found["metrics"] == ["accuracy", "loss"]
    assert found["undeclared"] == {}


def test_text_of_a_script_in_a_zip_comes_from_the_browser(client, alice):
    sent = SimpleUploadedFile("script.py", SCRIPT.encode())

    found = ask(client, fields(code="upload", script_file=sent))

    assert found["metrics"] == ["accuracy", "loss"]
    assert Sweep.objects.count() == 0


def test_folder_is_read_for_administrators_only(client, alice, code):
    data = fields(code="folder", source_directory=str(code))

    assert ask(client, data)["metrics"] == []
    alice.is_superuser = True
    alice.save()
    assert ask(client, data)["metrics"] == ["accuracy", "loss"]


@pytest.mark.parametrize("name", ["secret.py", "../outside.py", "nowhere.py", "", "data.txt"])
def test_only_files_of_the_code_are_read(client, alice, code, name):
    alice.is_superuser = True
    alice.save()

    found = ask(client, fields(code="folder", source_directory=str(code), script=name))

    assert (found["offered"], found["metrics"], found["problem"]) == ([], [], "")


def test_script_that_is_not_python_is_said(client, alice, snapshot):
    found = ask(client, fields(snapshot, script="broken.py"))

    assert found["problem"] == "The script is not Python in line 1: invalid syntax."


@pytest.mark.parametrize(
    "changes",
    [
        {"snapshot": "ab" * 32},
        {"snapshot": "\0"},
        {"entry": "command", "command": "python 'train.py"},
        {"code": "upload"},
        {"code": "folder", "source_directory": "~nobody/x"},
    ],
)
def test_what_cannot_be_seen_gives_nothing(client, alice, changes):
    alice.is_superuser = True
    alice.save()

    found = ask(client, fields(**changes))

    assert (found["offered"], found["metrics"], found["undeclared"]) == ([], [], {})


def test_readers_are_not_answered(client, alice, snapshot):
    reader = make_user("reader")
    workspace = make_workspace(alice)
    Membership.objects.create(workspace=workspace, user=reader, role=Membership.Role.READER)
    client.force_login(reader)
    # Not the personal one, which everybody gets at the first sign-in.
    choose_workspace(reader, workspace)

    assert client.post(reverse("script_facts"), fields(snapshot)).status_code == 403


def test_code_of_another_workspace_is_not_read(client, snapshot):
    charlie = make_user("charlie")
    make_workspace(charlie, name="Elsewhere")
    client.force_login(charlie)

    found = ask(client, fields(snapshot))

    assert (found["offered"], found["metrics"], found["undeclared"]) == ([], [], {})
    assert scripts_of(fields_from_post(fields(snapshot)), charlie) == []


def test_page_offers_rows_without_scripts_and_a_button_adds_one(client, alice, snapshot):
    page = client.post("/sweeps/new/", fields(snapshot, action="add_row"))
    facts = PageFacts(page.content.decode())

    html = page.content.decode()
    assert re.search(r'name="add_found" value="opt"', html)
    assert "The script declares no argument --weight_decay; it has --weight-decay." in html
    assert '<option value="loss">' in html
    assert facts.unlabelled() == []

    page = client.post("/sweeps/new/", fields(snapshot, add_found="opt"))

    html = page.content.decode()
    assert 'name="search_space-2-name" value="opt"' in html
    assert 'name="search_space-2-values" value="sgd, adam"' in html
    assert 'name="add_found" value="opt"' not in html
    assert Sweep.objects.count() == 0


def test_row_that_is_not_offered_is_not_added(client, alice, snapshot):
    page = client.post("/sweeps/new/", fields(snapshot, add_found="nothing"))

    assert 'name="search_space-2-name"' not in page.content.decode()


def test_check_answers_the_program_once_the_form_is_right(client, alice, snapshot):
    data = fields(snapshot, metric="accuracy", goal="maximize", max_total_runs="5", name="x")
    data |= {"experiment": "digits", "compute": "local", "sampling": "random", "policy": "none"}
    headers = {"Accept": "application/json"}

    wrong = client.post(reverse("sweep_check"), data, headers=headers).json()
    data |= {"search_space-1-min_value": "0", "search_space-1-max_value": "1"}
    right = client.post(reverse("sweep_check"), data, headers=headers).json()

    assert wrong["python"] == "# The program stands here once the specification is right."
    assert '"weight_decay": uniform(0, 1),' in right["python"]
    assert f"snapshot {snapshot.digest[:12]}" in right["python"]
