"""Check first in the form and over REST: without scripts, with bad input, for strangers."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from experiments.models import Membership, Run, Snapshot, Sweep
from experiments.services.access import make_api_token
from experiments.services.advance import advance_sweep
from experiments.services.outcome import RunOutcome
from experiments.services.snapshots import snapshot_directory
from experiments.states import SweepState
from tests.factories import make_check, make_compute, make_user, make_workspace, report
from tests.web.api_world import assert_problem, call, submittable
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import end, start

pytestmark = pytest.mark.django_db
URL = "/sweeps/new/"
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Path) -> None:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"


@pytest.fixture
def alice(client: Client) -> User:
    alice = make_user("alice")
    make_workspace(alice)
    make_compute()
    client.force_login(alice)
    return alice


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)\n")
    return folder


def form(**changes: Any) -> dict[str, Any]:
    return {
        "name": "digits",
        "experiment": "digits",
        "code": "snapshot",
        "entry": "script",
        "script": "train.py",
        "search_space-0-name": "lr",
        "search_space-0-type": "uniform",
        "search_space-0-min_value": "0",
        "search_space-0-max_value": "1",
        "sampling": "random",
        "metric": "accuracy",
        "goal": "maximize",
        "policy": "none",
        "compute": "local",
        "max_total_runs": "20",
        "max_concurrent_runs": "4",
        "action": "check_run",
        **changes,
    }


def stored(code: Path) -> str:
    return snapshot_directory(code, workspace=make_workspace()).digest


def zip_file(**files: str) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return SimpleUploadedFile("code.zip", buffer.getvalue(), content_type="application/zip")


def check_of() -> Sweep:
    return Sweep.objects.get(kind=Sweep.Kind.CHECK)


def tried(check: Sweep, outcome: RunOutcome, **metrics: list[float]) -> Run:
    """Let the run of a check end like this."""
    run = start(check, lr=0.5)
    for name, values in metrics.items():
        report(run, values, name=name)
    end(run, outcome)
    return run


def test_form_has_the_button_and_its_limit(client: Client, alice: User) -> None:
    page = client.get(URL).content.decode()

    assert re.search(r'<button[^>]*value="check_run"[^>]*>.*Check first</button>', page)
    assert re.search(r'name="check_seconds" value="60"', page)
    facts = PageFacts(page)
    assert not facts.unlabelled()
    assert not facts.inline


def test_without_scripts_the_form_comes_back_with_the_check(
    client: Client, alice: User, code: Path
) -> None:
    posted = client.post(URL, form(snapshot=stored(code), check_seconds="90"))

    check = check_of()
    assert posted.status_code == 302
    assert posted["Location"] == f"{URL}?check={check.public_id}#s-check"
    page = client.get(posted["Location"]).content.decode()
    assert "Waiting for a worker…" in page
    assert 'name="check_seconds" value="90"' in page
    assert 'name="max_total_runs" value="20"' in page
    assert f'<option value="{check.snapshot.digest}" selected>' in page
    assert "See how far it is" in page
    assert f'formaction="{reverse("check_run_cancel", args=[check.public_id])}"' in page
    assert check.check_run.seconds == 90
    assert not PageFacts(page).unlabelled()


def test_browser_gets_what_it_follows(client: Client, alice: User, code: Path) -> None:
    reply = client.post(URL, form(snapshot=stored(code)), headers=JSON)

    check = check_of()
    body = reply.json()
    assert reply.status_code == 201
    assert body["id"] == check.public_id
    assert body["socket"] == f"/ws/sweeps/{check.public_id}/"
    assert body["uploaded"] == ""
    parts = client.get(body["url"], headers={"X-Fragment": "1"}).content.decode()
    assert 'data-part="check-state"' in parts
    assert client.get(body["state"]).json()["cursor"] == body["cursor"]


def test_result_offers_names_and_one_click_takes_one(
    client: Client, alice: User, code: Path
) -> None:
    client.post(URL, form(snapshot=stored(code)))
    check = check_of()
    advance_sweep(check.pk)
    Run.objects.filter(sweep=check).delete()
    Sweep.objects.filter(pk=check.pk).update(sampled=0, next_number=0)
    tried(check, RunOutcome(exit_code=0), **{"val <accuracy>": [0.5]})

    url = f"{URL}?check={check.public_id}"
    page = client.get(url).content.decode()
    assert "was never logged" in page
    assert "The check failed." in page
    button = 'name="use_metric" value="val &lt;accuracy&gt;"'
    assert button in page

    taken = client.post(
        URL,
        form(snapshot=check.snapshot.digest, check=check.public_id, use_metric="val <accuracy>"),
    ).content.decode()
    assert 'name="metric" value="val &lt;accuracy&gt;"' in taken
    assert "The check failed." in taken
    assert Sweep.objects.count() == 1


def test_each_line_has_a_word_beside_its_icon(client: Client, alice: User) -> None:
    check = make_check(owner=alice)
    Sweep.objects.filter(pk=check.pk).update(state=SweepState.RUNNING)
    tried(check, RunOutcome(exit_code=1, error_line="ValueError: <odd>"), accuracy=[0.5])

    address = reverse("check_run", args=[check.public_id])
    parts = client.get(address, headers={"X-Fragment": "1"}).content.decode()

    words = re.findall(r'<li class="mark-(\w+)">.*?<span class="vh">(\w+):</span><b>(\w+)', parts)
    assert ("ok", "Fine", "Metric") in words
    assert ("bad", "Wrong", "End") in words
    assert "Exit code 1: ValueError: &lt;odd&gt;" in parts
    assert "data-over" in parts


@pytest.mark.parametrize("seconds", ["0", "601", "soon", "1e400", "-3"])
def test_wrong_limit_is_shown_at_its_field(
    client: Client, alice: User, code: Path, seconds: str
) -> None:
    posted = client.post(URL, form(snapshot=stored(code), check_seconds=seconds, metric=""))

    page = posted.content.decode()
    assert posted.status_code == 422
    assert "use 1 to 600 seconds" in page
    assert 'href="#check_seconds"' in page
    assert 'href="#metric"' in page
    assert not Sweep.objects.exists()


def test_wrong_form_creates_nothing(client: Client, alice: User) -> None:
    files = {"upload": zip_file(other__py="print(1)")}
    reply = client.post(URL, form(code="upload", **files), headers=JSON)

    assert [problem["field"] for problem in reply.json()["problems"]] == ["script"]
    assert not Sweep.objects.exists()
    assert not Snapshot.objects.exists()


def test_zip_is_stored_once_and_the_submission_takes_it(client: Client, alice: User) -> None:
    sent = form(code="upload", upload=zip_file(train__py="print(1)"))
    uploaded = client.post(URL, sent, headers=JSON).json()["uploaded"]

    assert uploaded == check_of().snapshot.digest
    again = form(code="upload", uploaded=uploaded, action="create")
    url = client.post(URL, again, headers=JSON).json()["url"]
    sweep = Sweep.objects.get(kind=Sweep.Kind.SWEEP)
    assert url == sweep.get_absolute_url()
    assert sweep.snapshot.digest == uploaded
    assert Snapshot.objects.count() == 1


def test_new_zip_replaces_the_one_that_was_checked(client: Client, alice: User) -> None:
    first = form(code="upload", upload=zip_file(train__py="print(1)"))
    uploaded = client.post(URL, first, headers=JSON).json()["uploaded"]
    other = form(
        code="upload", uploaded=uploaded, upload=zip_file(train__py="print(2)"), action="create"
    )

    client.post(URL, other, headers=JSON)

    assert Sweep.objects.get(kind=Sweep.Kind.SWEEP).snapshot.digest != uploaded


def test_zip_of_somebody_else_is_not_taken(client: Client, alice: User, code: Path) -> None:
    foreign = snapshot_directory(code, workspace=make_workspace(name="Elsewhere")).digest

    reply = client.post(
        URL, form(code="upload", uploaded=foreign, action="create"), headers=JSON
    ).json()

    assert [problem["field"] for problem in reply["problems"]] == ["upload"]
    assert not Sweep.objects.exists()


def test_strangers_find_nothing_and_readers_cancel_nothing(client: Client, alice: User) -> None:
    check = make_check(owner=alice)
    addresses = [
        f"{URL}?check={check.public_id}",
        reverse("check_run", args=[check.public_id]),
    ]
    cancel = reverse("check_run_cancel", args=[check.public_id])
    charlie, bob = make_user("charlie"), make_user("bob")
    make_workspace(charlie, name="Elsewhere")
    make_workspace(bob, role=Membership.Role.READER)

    client.force_login(charlie)
    assert [client.get(address).status_code for address in addresses] == [404, 404]
    assert client.post(cancel).status_code == 404
    posted = client.post(URL, form(check=check.public_id, action="add_row")).content.decode()
    assert "check-head" not in posted
    client.force_login(bob)
    assert client.post(cancel).status_code == 403
    client.logout()
    assert client.post(cancel)["Location"].startswith("/sign-in/")
    check.refresh_from_db()
    assert check.state == SweepState.QUEUED


def test_owner_cancels_with_and_without_scripts(client: Client, alice: User) -> None:
    first = make_check(owner=alice)
    cancel = reverse("check_run_cancel", args=[first.public_id])

    assert client.get(cancel).status_code == 405
    assert client.post(cancel)["Location"].startswith(f"{URL}?check={first.public_id}")
    assert client.post(cancel, headers=JSON).json() == {"canceled": False}
    first.refresh_from_db()
    assert first.state == SweepState.CANCELED


def test_pages_of_sweeps_know_no_checks(client: Client, alice: User) -> None:
    check = make_check(owner=alice, name="hidden one")
    advance_sweep(check.pk)
    run = Run.objects.get(sweep=check)

    assert client.get(reverse("sweep", args=[check.public_id])).status_code == 404
    assert client.get(reverse("run", args=[run.public_id])).status_code == 404
    assert client.get(f"/api/v1/sweeps/{check.public_id}").status_code == 404
    assert client.get(f"/api/v1/runs/{run.public_id}").status_code == 404
    for page in ("/sweeps/", "/compute/", URL):
        assert "hidden one" not in client.get(page).content.decode()


@pytest.fixture
def token(alice: User) -> str:
    return make_api_token(alice, name="t", scope="write")[1]


def test_rest_starts_follows_and_cancels(token: str) -> None:
    body = submittable()
    made = call("POST", "/check-runs?seconds=5", token=token, body=body)
    check = json.loads(made.content)

    assert made.status_code == 201
    assert (check["outcome"], check["seconds"], check["warnings"]) == ("waiting", 5, [])
    assert check["snapshot"] == body["snapshot"]
    canceled = json.loads(call("POST", f"/check-runs/{check['id']}/cancel", token=token).content)
    assert (canceled["outcome"], canceled["is_over"]) == ("canceled", True)
    listed = json.loads(call("GET", "/sweeps", token=token).content)
    assert listed["items"] == []


def test_rest_gives_every_number(token: str, alice: User) -> None:
    check = make_check(owner=alice)
    Sweep.objects.filter(pk=check.pk).update(state=SweepState.RUNNING)
    tried(check, RunOutcome(exit_code=0), accuracy=[0.5, 0.75])

    found = json.loads(call("GET", f"/check-runs/{check.public_id}", token=token).content)

    assert found["outcome"] == "passed"
    assert found["metrics"] == [{"name": "accuracy", "reports": 2, "last": 0.75}]
    assert found["hyperparameters"] == {"lr": 0.5}
    assert found["command"][:2] == ["python", "train.py"]
    assert found["basis"] == "measured"
    assert found["exit_code"] == 0
    assert found["estimated_seconds"] == pytest.approx(2 * found["seconds_per_run"])


@pytest.mark.parametrize("seconds", ["0", "601", "soon", "nan"])
def test_rest_refuses_a_wrong_limit(token: str, seconds: str) -> None:
    answer = call("POST", f"/check-runs?seconds={seconds}", token=token, body=submittable())

    assert [problem["path"] for problem in assert_problem(answer, 422)] == ["seconds"]
    assert not Sweep.objects.exists()


def test_rest_lists_every_problem(token: str) -> None:
    answer = call(
        "POST", "/check-runs", token=token, body=submittable(compute="gpu", max_total_runs=0)
    )

    paths = {problem["path"] for problem in assert_problem(answer, 422)}
    assert paths == {"compute", "max_total_runs"}
    assert not Sweep.objects.exists()
