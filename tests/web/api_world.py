"""Alice owns a sweep with a live run, Bob may read it, Charlie is elsewhere; tokens of all."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from experiments.models import Membership, Run, Sweep, Workspace
from experiments.services.access import make_api_token
from experiments.services.runs import start_run
from experiments.services.snapshots import snapshot_zip
from tests.factories import SPEC, claim, make_run, make_sweep, make_user, make_workspace, report


@dataclass
class World:
    """What the tests of the API look at."""

    alice: User
    bob: User
    charlie: User
    sweep: Sweep
    run: Run
    run_token: str
    other_run: Run
    other_run_token: str
    tokens: dict[str, str]


def make_world(directory: Path) -> World:
    """Make the three people, a sweep with two live runs, their files and everybody's tokens."""
    alice, bob, charlie = (make_user(name) for name in ("alice", "bob", "charlie"))
    workspace = make_workspace(alice)
    make_workspace(bob, role=Membership.Role.READER)
    make_workspace(charlie, name="Elsewhere")
    sweep = make_sweep(owner=alice, workspace=workspace)
    run, run_token = _live_run(sweep, directory / "0", lr=0.1, layers=2)
    other, other_token = _live_run(sweep, directory / "1", lr=0.2, layers=3)
    report(run, [0.5, 0.75])
    tokens = {
        f"{user.username}_{scope}": make_api_token(user, name=scope, scope=scope)[1]
        for user in (alice, bob, charlie)
        for scope in ("read", "write", "admin")
    }
    run.refresh_from_db()
    sweep.refresh_from_db()
    return World(alice, bob, charlie, sweep, run, run_token, other, other_token, tokens)


def _live_run(sweep: Sweep, directory: Path, **params: Any) -> tuple[Run, str]:
    for name, text in {
        "outputs/model.txt": "weights",
        "logs/std_log.txt": "epoch 1\nepoch 2\n",
        "metrics.jsonl": "",
    }.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    claimed = claim(make_run(sweep, **params))
    run = start_run(
        claimed.run_id,
        claimed.fence,
        arguments=["python", "train.py", *claimed.arguments],
        directory=str(directory),
    )
    return run, claimed.token


def call(
    method: str,
    path: str,
    *,
    token: str = "",
    body: Any = None,
    content_type: str = "application/json",
    client: Client | None = None,
    **headers: str,
) -> HttpResponse:
    """Send one request to the API; mappings and lists go as JSON."""
    data = json.dumps(body) if isinstance(body, dict | list) else body or ""
    if token:
        headers["authorization"] = f"Bearer {token}"
    client = client or Client(enforce_csrf_checks=True, raise_request_exception=False)
    response: Any = client.generic(
        method, f"/api/v1{path}", data, content_type=content_type, headers=headers
    )
    if response.streaming:
        return HttpResponse(b"".join(response), headers=response.headers)
    return cast(HttpResponse, response)


def get(world: World, path: str, user: str = "alice") -> Any:
    """Return the JSON that a person reads at an address."""
    response = call("GET", path, token=world.tokens[f"{user}_read"])
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def zip_of(**files: str) -> bytes:
    """Return a zip; keyword `train_py` is the file train.py."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            # Without the time of day: the same files are the same bytes.
            archive.writestr(zipfile.ZipInfo(name.replace("_", ".")), text)
    return buffer.getvalue()


def submittable(**changes: Any) -> dict[str, Any]:
    """Return a specification with the id of a stored snapshot that everybody may use."""
    snapshot = snapshot_zip(io.BytesIO(zip_of(train_py="print()")), workspace=make_workspace())
    snapshot.workspaces.add(*Workspace.objects.all())
    spec = {key: value for key, value in SPEC.items() if key != "source_directory"}
    return {**spec, "snapshot": snapshot.digest, **changes}


def assert_problem(response: HttpResponse, status: int) -> list[dict[str, str]]:
    """Check the form of an error answer and return its problems."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    document = json.loads(response.content)
    assert set(document) == {"type", "title", "status", "detail", "errors"}
    assert document["status"] == status
    assert document["errors"]
    assert all(set(e) == {"path", "message"} and e["message"] for e in document["errors"])
    errors: list[dict[str, str]] = document["errors"]
    return errors
