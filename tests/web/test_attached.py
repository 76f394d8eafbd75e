"""What workers on other machines send and fetch, and what their token does not open."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from experiments.models import ComputeTarget, Run
from experiments.services.compute_tokens import make_compute_token, revoke_compute_token
from experiments.services.snapshots import snapshot_directory
from experiments.services.storage import run_directory
from tests.factories import make_compute
from tests.web.api_world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


class Machine:
    """A worker's side of the conversation about one run."""

    def __init__(self, run: Run, compute: ComputeTarget | None = None, **token: Any) -> None:
        self.run = run
        self.token, plain = make_compute_token(
            compute or run.sweep.compute, name="machine", **token
        )
        self.client = Client(headers={"Authorization": f"Bearer {plain}"})
        self.directory = run_directory(run.sweep.public_id, run.number, run.fence)

    def call(self, method: str, part: str = "", body: bytes | None = None, **query: Any) -> Any:
        words = urlencode({"fence": self.run.fence, **query})
        address = f"/api/v1/attached/runs/{self.run.public_id}{part}?{words}"
        kind = "application/json" if part == "/kept" else "application/octet-stream"
        return self.client.generic(method, address, body or b"", content_type=kind)

    def send(self, path: str, body: bytes, *, offset: int = 0, whole: bytes = b"") -> Any:
        whole = whole or body
        digest = hashlib.sha256(whole).hexdigest()
        about = {"path": path, "sha256": digest, "offset": offset, "size": len(whole)}
        return self.call("POST", "/files", body, **about)


@pytest.fixture
def machine(world: World) -> Machine:
    made = Machine(world.run)
    assert made.call("POST").json() == {"directory": str(made.directory)}
    return made


def test_token_says_what_it_is_for(machine: Machine) -> None:
    answer = machine.client.get("/api/v1/attached").json()

    assert answer["compute"] == "local"
    assert machine.client.get("/api/v1/attached").json() == answer
    machine.token.refresh_from_db()
    assert machine.token.last_used_at is not None


@pytest.mark.parametrize("how", ["nobody", "stranger", "revoked", "expired", "person"])
def test_only_a_valid_compute_token_opens_anything(
    machine: Machine, world: World, how: str
) -> None:
    client = machine.client
    if how == "nobody":
        client = Client()
    elif how == "stranger":
        client = Client(headers={"Authorization": "Bearer sc_guessed"})
    elif how == "revoked":
        assert revoke_compute_token(machine.token)
    elif how == "expired":
        machine.token.expires_at = timezone.now() - timedelta(seconds=1)
        machine.token.save()
    else:
        client = Client(headers={"Authorization": f"Bearer {world.tokens['alice_admin']}"})

    response = client.get("/api/v1/attached")

    assert response.status_code == 401
    assert "studio token create NAME --compute TARGET" in response.json()["detail"]


def test_compute_token_opens_nothing_of_people(machine: Machine, world: World) -> None:
    for address in ("sweeps", f"runs/{world.run.public_id}", "compute", "models"):
        assert machine.client.get(f"/api/v1/{address}").status_code == 401


def test_run_of_another_target_does_not_exist(world: World) -> None:
    stranger = Machine(world.run, compute=make_compute("elsewhere"))

    assert stranger.call("POST").status_code == 404
    assert stranger.send("outputs/a.txt", b"abc").status_code == 404
    assert not stranger.directory.exists()


def test_outdated_attempt_is_refused(machine: Machine) -> None:
    machine.run.fence += 1

    assert machine.send("outputs/a.txt", b"abc").status_code == 409


def test_whole_file_is_put_in_place(machine: Machine) -> None:
    assert machine.send("outputs/deep/model.bin", b"abc").json() == {"size": 3}

    assert (machine.directory / "outputs/deep/model.bin").read_bytes() == b"abc"
    about = {"path": "outputs/deep/model.bin", "sha256": hashlib.sha256(b"abc").hexdigest()}
    assert machine.call("GET", "/files", **about).json() == {"size": 3, "whole": True}
    assert not (machine.directory / "incoming").exists()


def test_broken_transfer_goes_on_where_it_broke(machine: Machine) -> None:
    whole = b"0123456789"
    about = {"path": "outputs/a", "sha256": hashlib.sha256(whole).hexdigest()}

    assert machine.send("outputs/a", whole[:4], whole=whole).json() == {"size": 4}
    assert machine.call("GET", "/files", **about).json() == {"size": 4, "whole": False}
    # A block that is too far ahead is answered with where to go on.
    assert machine.send("outputs/a", whole[6:], offset=6, whole=whole).json() == {"size": 4}
    assert not (machine.directory / "outputs/a").exists()
    assert machine.send("outputs/a", whole[4:], offset=4, whole=whole).json() == {"size": 10}

    assert (machine.directory / "outputs/a").read_bytes() == whole


def test_content_with_another_hash_is_thrown_away(machine: Machine) -> None:
    response = machine.send("outputs/a", b"wrong", whole=b"right")

    assert response.status_code == 422
    assert "has not the hash" in response.json()["errors"][0]["message"]
    assert {p.name for p in machine.directory.rglob("*") if p.is_file()} == {"posted.jsonl"}


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "outputs/../../x",
        "/etc/passwd",
        "code/train.py",
        "outputs",
        "metrics.jsonl",
        "outputs/" + "a/" * 600,
    ],
)
def test_names_that_lead_elsewhere_are_refused(machine: Machine, path: str) -> None:
    before = set(machine.directory.parent.rglob("*"))

    for response in (
        machine.send(path, b"abc"),
        machine.call("POST", "/log", b"x", path=path, offset=0),
    ):
        assert response.status_code == 422
    assert set(machine.directory.parent.rglob("*")) == before


def test_log_grows_and_is_cut(machine: Machine) -> None:
    def log(body: bytes, offset: int) -> Any:
        return machine.call("POST", "/log", body, path="logs/std_log.txt", offset=offset).json()

    assert log(b"one\ntwo\n", 0) == {"size": 8}
    assert log(b"three\n", 8) == {"size": 14}
    assert log(b"late\n", 99) == {"size": 14}
    assert log(b"cut\n", 0) == {"size": 4}

    assert (machine.directory / "logs/std_log.txt").read_bytes() == b"cut\n"


def test_outputs_are_not_sent_as_logs(machine: Machine) -> None:
    response = machine.call("POST", "/log", b"x", path="outputs/a", offset=0)

    assert response.status_code == 422


def test_outputs_have_a_limit(machine: Machine, settings: Any) -> None:
    settings.STUDIO_MAX_OUTPUT_BYTES = settings.STUDIO_MAX_LOG_BYTES = 10

    assert machine.send("outputs/a", b"x" * 20).status_code == 200
    response = machine.send("outputs/b", b"x" * 11)

    assert response.status_code == 422
    assert "larger than the limit of 30 bytes" in response.json()["errors"][0]["message"]


def test_what_the_script_removed_goes_at_the_end(machine: Machine) -> None:
    machine.send("outputs/old.txt", b"old")
    machine.send("outputs/new.txt", b"new")
    machine.send("outputs/broken", b"x", whole=b"xyz")

    names = json.dumps(["outputs/new.txt"]).encode()
    assert machine.call("POST", "/kept", names).json() == {"kept": 1}

    left = {p.name for p in machine.directory.rglob("*") if p.is_file()}
    assert left == {"new.txt", "posted.jsonl"}


def test_reports_over_http_are_fetched_in_whole_lines(machine: Machine) -> None:
    (machine.directory / "posted.jsonl").write_text('{"a": 1}\n{"a": 2}\n{"a"')

    first = machine.call("GET", "/posted", offset=0).json()
    (machine.directory / "posted.jsonl").write_text('{"a": 1}\n{"a": 2}\n{"a": 3}\n')
    then = machine.call("GET", "/posted", offset=first["offset"]).json()

    assert first == {"lines": '{"a": 1}\n{"a": 2}\n', "offset": 18}
    assert then == {"lines": '{"a": 3}\n', "offset": 27}


def test_snapshot_of_a_sweep_on_the_target_is_sent_from_a_byte_on(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("print(1)")
    workspace = machine.run.sweep.experiment.workspace
    snapshot = snapshot_directory(tmp_path / "code", workspace=workspace)
    address = f"/api/v1/attached/snapshots/{snapshot.digest}"

    assert machine.client.get(address).status_code == 404
    machine.run.sweep.snapshot = snapshot
    machine.run.sweep.save()
    whole = b"".join(machine.client.get(address).streaming_content)
    rest = b"".join(machine.client.get(address, {"offset": 10}).streaming_content)

    assert hashlib.sha256(whole).hexdigest() == snapshot.digest
    assert rest == whole[10:]
