"""Settings of compute targets: the page, REST and the admin; secrets are never shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client

from experiments.compute_settings import Changes
from experiments.models import ComputeTarget, Worker
from experiments.services.access import make_api_token
from experiments.services.compute import change_target, register_worker
from studio.version import VERSION
from tests.factories import make_compute, make_user, make_workspace

pytestmark = pytest.mark.django_db
SECRET = "hunter2-of-the-hub"


def rows(*pairs: tuple[str, str, str]) -> dict[str, list[str]]:
    names, values, kinds = (list(column) for column in zip(*pairs, strict=True))
    return {"name": names, "value": values, "kind": kinds}


def patch(client: Client, **body: Any) -> Any:
    return client.patch("/api/v1/compute/gpu", body, content_type="application/json")


def test_settings_are_saved_and_secrets_kept_without_being_shown(
    administrator: Client, target: ComputeTarget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = administrator.get("/compute/gpu/settings/")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]

    form = rows(("HF_HOME", "/data/hf", "plain"), ("HF_TOKEN", SECRET, "secret"), ("", "", "plain"))
    done = administrator.post(
        "/compute/gpu/settings/",
        {"labels": "gpu=a100, spot", "python": "/opt/venv/bin/python", **form},
        follow=True,
    )
    target.refresh_from_db()
    assert (target.python, target.labels) == (
        "/opt/venv/bin/python",
        {"gpu": "a100", "spot": ""},
    )
    assert (target.environment, target.secrets) == ({"HF_HOME": "/data/hf"}, {"HF_TOKEN": SECRET})
    assert "HF_TOKEN=•••" in done.content.decode()

    # An empty field keeps the secret; nothing of all that is shown has it.
    form = rows(("HF_HOME", "/data", "plain"), ("HF_TOKEN", "", "secret"))
    administrator.post("/compute/gpu/settings/", {"labels": "", "python": "", **form})
    target.refresh_from_db()
    assert (target.environment, target.secrets) == ({"HF_HOME": "/data"}, {"HF_TOKEN": SECRET})
    seen = [
        administrator.get(address).content.decode()
        for address in (
            "/compute/",
            "/compute/gpu/settings/",
            "/api/v1/compute",
            "/api/v1/compute/gpu",
            f"/admin/experiments/computetarget/{target.pk}/change/",
            "/admin/experiments/computetarget/",
        )
    ]
    assert all("HF_TOKEN" in text for text in seen[:5])
    assert not any(SECRET in text for text in [*seen, caplog.text, repr(target)])

    form = rows(("HF_HOME", "/data", "plain"), ("HF_TOKEN", "", "remove"))
    administrator.post("/compute/gpu/settings/", {"labels": "", "python": "", **form})
    target.refresh_from_db()
    assert target.secrets == {}


def test_wrong_settings_change_nothing_and_do_not_echo_secrets(
    administrator: Client, target: ComputeTarget
) -> None:
    form = rows(("STUDIO_URL", "x", "plain"), ("TOKEN", SECRET, "secret"), ("A", "1", "plain"))
    page = administrator.post(
        "/compute/gpu/settings/", {"labels": "-", "python": "bin/python", **form}
    )

    text = page.content.decode()
    assert page.status_code == 422
    assert "Nothing was changed: 3 problems below." in text
    assert "STUDIO_URL is set by the studio itself; choose another name." in text
    assert SECRET not in text
    assert 'value="bin/python"' in text
    target.refresh_from_db()
    assert (target.python, target.environment, target.secrets) == ("", {}, {})


def test_secret_is_not_turned_into_a_shown_variable_unseen(
    administrator: Client, target: ComputeTarget
) -> None:
    ComputeTarget.objects.update(secrets={"TOKEN": SECRET})

    page = administrator.post(
        "/compute/gpu/settings/",
        {"labels": "", "python": "", **rows(("TOKEN", "", "plain"), ("B", "", "plain"))},
    )

    assert "type its value again to show it from now on" in page.content.decode()
    target.refresh_from_db()
    assert target.secrets == {"TOKEN": SECRET}


def test_rest_changes_what_is_named(administrator: Client, target: ComputeTarget) -> None:
    answer = patch(
        administrator,
        python="python3.12",
        environment={"PATH": "/opt/bin"},
        secrets={"TOKEN": SECRET},
    )

    assert answer.status_code == 200
    body = answer.json()
    assert (body["python"], body["environment"], body["secrets"]) == (
        "python3.12",
        {"PATH": "/opt/bin"},
        ["TOKEN"],
    )
    assert body["warnings"][0].startswith("PATH is set for every run")
    assert patch(administrator, draining=True).json()["python"] == "python3.12"
    both = patch(administrator, environment={"TOKEN": "1"})
    assert both.status_code == 422
    assert both.json()["errors"][0]["path"] == "environment.TOKEN"
    wrong = patch(administrator, pythn="x")
    assert "Did you mean python?" in wrong.json()["errors"][0]["message"]
    empty = patch(administrator)
    assert empty.status_code == 422
    assert "give one of labels, python" in empty.json()["errors"][0]["message"]
    assert patch(administrator, secrets={"TOKEN": None}).json()["secrets"] == []


def test_rest_adds_targets(administrator: Client) -> None:
    def add(**body: Any) -> Any:
        return administrator.post("/api/v1/compute", body, content_type="application/json")

    made = add(name="h100", labels="gpu=h100")
    assert (made.status_code, made.json()["labels"]) == (201, {"gpu": "h100"})
    assert add(name="h100").json()["errors"][0]["message"].startswith("There is a compute target")
    assert add(name="a b").status_code == 422
    assert add().status_code == 422


def test_token_needs_the_scope_admin_and_nobody_changes_without_one(
    client: Client, target: ComputeTarget
) -> None:
    root = make_user("root", is_superuser=True)
    for scope, status in (("read", 403), ("write", 403), ("admin", 200)):
        _, plain = make_api_token(root, name=scope, scope=scope)
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {plain}"
        assert patch(client, python="python3").status_code == status
        assert client.post("/api/v1/compute/gpu/test").status_code == status
        assert client.get("/api/v1/compute/gpu").status_code == 200
    client.defaults["HTTP_AUTHORIZATION"] = "Bearer unknown"
    assert patch(client, python="x").status_code == 401


def test_others_change_nothing_and_read_who_does(client: Client, target: ComputeTarget) -> None:
    make_user("root", is_superuser=True)
    alice = make_user("alice")
    make_workspace(alice)
    client.force_login(alice)

    assert client.get("/compute/gpu/settings/").status_code == 403
    assert patch(client, python="x").status_code == 403
    assert client.post("/api/v1/compute/gpu/test").status_code == 403
    page = client.get("/compute/").content.decode()
    assert "attached by an administrator of this studio: root." in page
    assert "studio worker" not in page
    assert "/settings/" not in page


def test_targets_are_found_by_their_labels(administrator: Client, target: ComputeTarget) -> None:
    make_compute("cpu")
    patch(administrator, labels={"gpu": "a100", "spot": ""})

    def names(query: str) -> list[str]:
        items = administrator.get(f"/api/v1/compute{query}").json()["items"]
        return [item["name"] for item in items]

    assert names("?label=gpu") == ["gpu"]
    assert names("?label=gpu%3Da100&label=spot") == ["gpu"]
    assert names("?label=gpu%3Dh100") == []
    page = administrator.get("/compute/?label=gpu%3Da100").content.decode()
    assert "target-gpu" in page
    assert "target-cpu" not in page
    assert 'href="/compute/?label=gpu%3Da100&amp;label=spot"' in page
    assert "No target has these labels" in administrator.get("/compute/?label=x").content.decode()


def test_page_tells_what_machines_run_with_and_which_version_they_have(
    administrator: Client, target: ComputeTarget
) -> None:
    register_worker(target, name="w1", host="new", pid=1, process_started=1.0, version=VERSION)
    register_worker(target, name="w2", host="old", pid=2, process_started=1.0, version="0.0.1+x")
    Worker.objects.filter(name="w1").update(python="/opt/p", python_version="Python 3.12.1")
    Worker.objects.filter(name="w2").update(python="/opt/p", python_problem="/opt/p is gone.")

    page = administrator.get("/compute/").content.decode()

    assert "1 machine with another version" in page
    assert f"The studio has {VERSION}: upgrade this machine." in page
    assert "Python 3.12.1" in page
    assert "/opt/p is gone." in page
    assert "asking …" not in page
    administrator.post("/compute/gpu/change/", {"action": "test"})
    assert administrator.get("/compute/").content.decode().count("asking …") == 2


def test_admin_refuses_what_the_page_refuses(administrator: Client, target: ComputeTarget) -> None:
    address = f"/admin/experiments/computetarget/{target.pk}/change/"
    form = {"name": "gpu", "kind": "local", "labels": "{}", "workers-TOTAL_FORMS": 0}
    form |= {"workers-INITIAL_FORMS": 0, "is_enabled": "on"}

    wrong = administrator.post(
        address, form | {"python": "bin/python", "environment": '{"STUDIO_URL": "x"}'}
    )
    assert "absolute path" in wrong.content.decode()
    assert "STUDIO_URL is set by the studio itself" in wrong.content.decode()

    administrator.post(address, form | {"python": "/opt/python", "environment": '{"A": 1}'})
    target.refresh_from_db()
    assert (target.python, target.environment) == ("/opt/python", {"A": "1"})


def test_secret_of_a_change_is_in_no_representation(target: ComputeTarget) -> None:
    root = make_user("root", is_superuser=True)

    warnings = change_target(target, Changes(secrets={"PATH": SECRET}), user=root)

    assert warnings
    assert SECRET not in str(warnings)
