"""Wrong specifications by every way in: the exact problems, and nothing is left behind.

What is wrong and what is said about it stands in tests/golden/wrong_specs.json.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from experiments.models import ComputeTarget, Snapshot
from experiments.services.access import make_api_token
from experiments.services.snapshots import snapshot_directory
from experiments.spec_yaml import dump_yaml
from studio.sdk import (
    Experiment,
    GridParameterSampling,
    HyperDriveConfig,
    HyperDriveConfigException,
    PrimaryMetricGoal,
    RandomParameterSampling,
    ScriptRunConfig,
    Workspace,
)
from tests.factories import make_compute, make_user, make_workspace
from tests.web.api_world import assert_problem, call

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "wrong_specs.json").read_text("utf-8"))
VALID = {
    "script": "train.py",
    "search_space": {"lr": "uniform(0, 1)"},
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 10,
}
JOB = {
    "type": "sweep",
    "trial": {"command": "python train.py --lr ${{search_space.lr}}", "code": "."},
    "search_space": {"lr": {"type": "uniform", "min_value": 0, "max_value": 1}},
    "sampling_algorithm": "random",
    "objective": {"goal": "minimize", "primary_metric": "loss"},
    "limits": {"max_total_trials": 10},
}
FORM = {
    "name": "wrong",
    "experiment": "digits",
    "code": "snapshot",
    "entry": "script",
    "script": "train.py",
    "search_space-0-name": "lr",
    "search_space-0-type": "uniform",
    "search_space-0-min_value": "0",
    "search_space-0-max_value": "1",
    "sampling": "random",
    "metric": "loss",
    "goal": "minimize",
    "policy": "none",
    "compute": "local",
    "max_total_runs": "10",
}
SAMPLINGS = {"random": RandomParameterSampling, "grid": GridParameterSampling}
in_the_database = pytest.mark.django_db


def names(case: dict[str, Any]) -> str:
    return json.dumps(case.get("changes", case.get("text")))[:60]


class Studio:
    """Alice, who may submit, her source directory, and everything that is stored."""

    def __init__(self, client: Client, storage: Path, folder: Path) -> None:
        self.alice, self.client, self.storage, self.folder = make_user(), client, storage, folder
        workspace = make_workspace(self.alice)
        make_compute("local")
        ComputeTarget.objects.create(name="resting", is_enabled=False)
        folder.mkdir()
        (folder / "train.py").write_text("print(1)\n")
        self.snapshot: Snapshot = snapshot_directory(folder, workspace=workspace)
        self.token = make_api_token(self.alice, name="here", scope="write")[1]
        client.force_login(self.alice)
        # The first request of a token notes when it was used.
        call("GET", "/sweeps", token=self.token)
        self.before = self.stored()

    def stored(self) -> dict[str, Any]:
        """Return the number of rows of every table, and every file."""
        with connection.cursor() as cursor:
            rows = {}
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
                rows[table] = cursor.fetchone()[0]
        files = sorted(str(p.relative_to(self.storage)) for p in self.storage.rglob("*"))
        return {**rows, "files": files}

    def refusal(self, body: Any, content_type: str = "application/json") -> list[Any]:
        """Return the problems that the API answers with."""
        answer = call("POST", "/sweeps", token=self.token, body=body, content_type=content_type)
        errors = assert_problem(answer, 422)
        return [[error["path"], error["message"]] for error in errors]


@pytest.fixture
def studio(client: Client, settings: Any, tmp_path: Path) -> Iterator[Studio]:
    """A studio where nothing may be left behind."""
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    found = Studio(client, tmp_path / "storage", tmp_path / "code")
    assert len(found.before) > 20
    assert found.before["files"]
    yield found
    assert found.stored() == found.before


def changed(raw: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with changes; a name such as trial.code is a place further down."""
    made = copy.deepcopy(raw)
    for path, value in changes.items():
        *parents, key = path.split(".")
        part = made
        for parent in parents:
            part = part[parent]
        part[key] = value
    return made


@in_the_database
@pytest.mark.parametrize("case", GOLDEN["cases"], ids=names)
def test_wrong_body_is_refused_as_json_and_as_yaml(studio: Studio, case: dict[str, Any]) -> None:
    # A field whose name has a dot is a field; all of them stand at the top here.
    raw = {**VALID, "snapshot": studio.snapshot.digest, **case["changes"]}

    of_json = studio.refusal(raw)
    of_yaml = studio.refusal(dump_yaml(raw), "application/yaml")

    # The studio may find more: compute, files, earlier sweeps. It takes out the snapshot itself.
    if "snapshot" not in case["changes"]:
        assert [problem for problem in case["problems"] if problem not in of_json] == []
    assert of_yaml == of_json


@in_the_database
@pytest.mark.parametrize("case", GOLDEN["studio"], ids=names)
def test_what_only_the_studio_knows_is_refused(studio: Studio, case: dict[str, Any]) -> None:
    raw = {**VALID, "snapshot": studio.snapshot.digest, **case["changes"]}

    assert studio.refusal(raw) == case["problems"]


@in_the_database
@pytest.mark.parametrize("case", GOLDEN["yaml"], ids=names)
def test_text_that_cannot_be_read_is_refused(studio: Studio, case: dict[str, Any]) -> None:
    answer = call(
        "POST",
        "/sweeps",
        token=studio.token,
        body=case["text"],
        content_type="application/yaml",
    )

    errors = assert_problem(answer, 400)
    assert [[error["path"], error["message"]] for error in errors] == case["problems"]


@in_the_database
@pytest.mark.parametrize("case", GOLDEN["azure"], ids=names)
def test_wrong_job_file_is_refused(studio: Studio, case: dict[str, Any]) -> None:
    raw = {**changed(JOB, case["changes"]), "snapshot": studio.snapshot.digest}

    assert studio.refusal(raw) == case["problems"]


@in_the_database
@pytest.mark.parametrize("case", GOLDEN["form"], ids=names)
def test_wrong_form_is_refused(studio: Studio, case: dict[str, Any]) -> None:
    data = {**FORM, "snapshot": studio.snapshot.digest, **case["changes"]}

    page = studio.client.post("/sweeps/new/", data)
    reply = studio.client.post("/sweeps/new/", data, headers={"Accept": "application/json"})

    assert page.status_code == 422
    assert [[p["path"], p["message"]] for p in reply.json()["problems"]] == case["problems"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("case", GOLDEN["program"], ids=names)
def test_wrong_program_is_refused(studio: Studio, live_server: Any, case: dict[str, Any]) -> None:
    parts = {"sampling": "random", "script": "train.py", "compute": "local", "total": 3}
    parts |= {"space": {"lr": ["uniform", [0, 1]]}, "metric": "loss", **case["changes"]}
    if parts.get("command"):
        run = ScriptRunConfig(studio.folder, command=parts["command"])
    else:
        run = ScriptRunConfig(studio.folder, parts["script"], compute_target=parts["compute"])
    config = HyperDriveConfig(
        run_config=run,
        hyperparameter_sampling=SAMPLINGS[parts["sampling"]](parts["space"]),
        primary_metric_name=parts["metric"],
        primary_metric_goal=PrimaryMetricGoal.MINIMIZE,
        max_total_runs=parts["total"],
    )
    # Files that the studio does not know yet: they must not stay.
    (studio.folder / "notes.txt").write_text("new")

    with pytest.raises(HyperDriveConfigException) as refused:
        Experiment(Workspace(live_server.url, studio.token), "digits").submit(config)

    found = [[error["path"], error["message"]] for error in refused.value.errors]
    assert found == case["problems"]


def test_there_are_enough_of_every_kind() -> None:
    least = {"cases": 80, "studio": 4, "yaml": 5, "azure": 8, "form": 8, "program": 6}

    assert {kind: len(GOLDEN[kind]) >= n for kind, n in least.items()} == dict.fromkeys(least, True)
    assert all(case["problems"] for kind in least for case in GOLDEN[kind])
