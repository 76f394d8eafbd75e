"""The compute page: draining, turning off and attaching other machines, for administrators."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from experiments.models import ComputeTarget, ComputeToken
from experiments.services.compute import is_draining, register_worker
from experiments.services.compute_tokens import find_compute_token
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db


def listed(client: Client) -> dict[str, Any]:
    (row,) = client.get("/api/v1/compute").json()["items"]
    return dict(row)


def test_target_is_drained_and_takes_runs_again(
    administrator: Client, target: ComputeTarget
) -> None:
    worker = register_worker(target, name="w1", host="box", pid=1, process_started=1.0, gpu="3")

    administrator.post("/compute/gpu/change/", {"action": "drain"})
    page = administrator.get("/compute/").content.decode()
    assert is_draining(worker.name)
    assert (listed(administrator)["draining"], listed(administrator)["enabled"]) == (True, True)
    assert "drained: nothing runs, waiting runs wait" in page
    assert "free, GPU 3" in page

    administrator.post("/compute/gpu/change/", {"action": "undrain"})
    assert not is_draining(worker.name)
    assert not listed(administrator)["draining"]


def test_target_is_turned_off_and_on(administrator: Client) -> None:
    administrator.post("/compute/gpu/change/", {"action": "disable"})
    assert not listed(administrator)["enabled"]
    administrator.post("/compute/gpu/change/", {"action": "enable"})
    assert listed(administrator)["enabled"]


def test_unknown_action_changes_nothing(administrator: Client, target: ComputeTarget) -> None:
    page = administrator.post("/compute/gpu/change/", {"action": "is_enabled"}, follow=True)

    said = b"Nothing was changed: choose one of drain, undrain, disable, enable, test."
    assert said in page.content
    assert listed(administrator)["enabled"]


def test_command_that_attaches_a_machine_is_shown_once(
    administrator: Client, target: ComputeTarget
) -> None:
    page = administrator.post("/compute/gpu/attach/", {"machine": "box <1>"})

    text = page.content.decode()
    found = re.search(r"STUDIO_COMPUTE_TOKEN=(sc_\S+)", text)
    assert found
    token = find_compute_token(found[1])
    assert token is not None
    assert (token.compute, token.name) == (target, "box <1>")
    assert "box &lt;1&gt;" in text
    assert "studio worker --compute gpu" in text
    assert "no-store" in page["Cache-Control"]
    assert found[1] not in administrator.get("/admin/experiments/computetoken/").content.decode()


@pytest.mark.parametrize("address", ["change", "attach"])
def test_others_change_nothing(client: Client, target: ComputeTarget, address: str) -> None:
    alice = make_user("alice")
    make_workspace(alice)
    client.force_login(alice)

    response = client.post(f"/compute/gpu/{address}/", {"action": "drain"})

    assert response.status_code == 403
    assert not ComputeToken.objects.exists()
    target.refresh_from_db()
    assert not target.is_draining
    assert b"Drain" not in client.get("/compute/").content


def test_target_that_does_not_exist_is_not_found(administrator: Client) -> None:
    assert administrator.post("/compute/none/attach/").status_code == 404
    assert administrator.get("/compute/gpu/attach/").status_code == 405
