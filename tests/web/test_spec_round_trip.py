"""A specification goes form -> YAML -> REST -> program of the SDK -> form and is still the same.

Every leg is the real one: the page of the form and its check, the API, a program that submits.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, assume, given, settings

from experiments.forms.sweep_fields import fields_from_raw
from experiments.models import Snapshot, Sweep
from experiments.policies import make_policy
from experiments.services.access import make_api_token
from experiments.services.snapshots import snapshot_directory
from experiments.spec import SweepSpec
from experiments.spec_yaml import load_yaml
from tests.earlier_sweeps import make_ended_sweep
from tests.factories import SPEC, make_compute, make_user, make_workspace
from tests.space_strategies import one_line, specifications
from tests.web.api_world import call
from tests.web.form_reader import FormReader

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CALM = settings(
    deadline=None,
    max_examples=40,
    # To shrink an example takes minutes; as it was drawn it says enough.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Journey:
    """Alice in a browser, with a token, and as a program in a folder that has the script."""

    def __init__(self, client: Client, server: str, folder: Path) -> None:
        self.alice = make_user("alice")
        workspace = make_workspace(self.alice)
        folder.mkdir()
        (folder / "train.py").write_text("print(1)\n")
        self.folder, self.server, self.client = folder, server, client
        self.snapshot: Snapshot = snapshot_directory(folder, workspace=workspace)
        self.token = make_api_token(self.alice, name="journey", scope="write")[1]
        client.force_login(self.alice)

    def check_form(self, controls: dict[str, str]) -> dict[str, Any]:
        """Return what the page would show beside the form."""
        answer = self.client.post(
            "/sweeps/new/check/", controls, headers={"Accept": "application/json"}
        )
        reply: dict[str, Any] = answer.json()
        assert reply["problems"] == []
        return reply

    def submit_yaml(self, text: str) -> Sweep:
        """Submit a YAML text over REST."""
        answer = call(
            "POST", "/sweeps", token=self.token, body=text, content_type="application/yaml"
        )
        assert answer.status_code == 201, answer.content
        return Sweep.objects.latest("pk")

    def program_of(self, sweep: Sweep) -> str:
        """Return the program that makes the sweep again."""
        path = f"/sweeps/{sweep.public_id}/export?format=python"
        return call("GET", path, token=self.token).content.decode()

    def run_program(self, text: str) -> Sweep:
        """Run a program up to its submission: nobody works on the sweep that it would wait for."""
        until, wait, _ = text.partition("    run.wait_for_completion(")
        assert wait
        scope: dict[str, Any] = {"__name__": "__main__"}
        with pytest.MonkeyPatch.context() as patch, contextlib.chdir(self.folder):
            patch.setitem(os.environ, "STUDIO_URL", self.server)
            patch.setitem(os.environ, "STUDIO_TOKEN", self.token)
            exec(compile(until, "exported.py", "exec"), scope)
        return Sweep.objects.get(public_id=scope["run"].id)

    def form_of(self, sweep: Sweep) -> dict[str, str]:
        """Return what the form sends that duplicates a sweep."""
        page = self.client.get(f"/sweeps/new/?from={sweep.public_id}").content.decode()
        return FormReader(page, "form").values


@pytest.fixture
def journey(client: Client, live_server: Any, settings: Any, tmp_path: Path) -> Journey:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return Journey(client, live_server.url, tmp_path / "code")


def first_form(raw: dict[str, Any]) -> dict[str, str]:
    """Return what a person has typed who wants this specification."""
    fields = fields_from_raw(raw)
    rows = {
        f"search_space-{number}-{key}": text
        for number, row in enumerate(fields.rows)
        for key, text in {"name": row.name, "type": row.type, **row.texts}.items()
    }
    return {**fields.texts, **rows}


def meaning_of(spec: SweepSpec) -> dict[str, Any]:
    """Return the whole specification, with the settings that its policy has by default."""
    policy = make_policy(spec.early_termination_config)
    return {**spec.dump(), "early_termination": {"type": policy.name, **policy.config}}


@CALM
@given(raw=specifications())
def test_any_specification_comes_back_to_the_form_unchanged(
    journey: Journey, raw: dict[str, Any]
) -> None:
    spec = SweepSpec.parse(raw)
    spec = SweepSpec.parse(
        {
            **spec.dump(),
            **one_line(spec),
            "source_directory": None,
            "snapshot": journey.snapshot.digest,
        }
    )
    # A form cannot send a carriage return of its own.
    assume("\r" not in "".join([spec.description, *spec.arguments]))
    make_compute(spec.compute)

    yaml = journey.check_form(first_form(spec.brief()))["yaml"]
    of_yaml = journey.submit_yaml(yaml)
    of_program = journey.run_program(journey.program_of(of_yaml))
    again = journey.check_form(journey.form_of(of_program))["yaml"]

    assert of_program.pk != of_yaml.pk
    assert (of_yaml.snapshot, of_program.snapshot) == (journey.snapshot, journey.snapshot)
    assert SweepSpec.parse(load_yaml(yaml)) == spec
    assert meaning_of(SweepSpec.parse(load_yaml(again))) == meaning_of(spec)


def test_warm_start_comes_back_to_the_form_unchanged(journey: Journey, tmp_path: Path) -> None:
    metric = {"name": "accuracy", "goal": "maximize"}
    earlier = make_ended_sweep([0.5], [0.9], folder=tmp_path / "runs", primary_metric=metric)
    spec = SweepSpec.parse(
        {
            **SPEC,
            "source_directory": None,
            "snapshot": journey.snapshot.digest,
            "resume_from": [earlier.public_id],
            "resume_child_runs": [f"{earlier.public_id}_1", f"{earlier.public_id}_0"],
        }
    )

    yaml = journey.check_form(first_form(spec.brief()))["yaml"]
    of_yaml = journey.submit_yaml(yaml)
    of_program = journey.run_program(journey.program_of(of_yaml))
    again = journey.check_form(journey.form_of(of_program))["yaml"]

    assert SweepSpec.parse(load_yaml(yaml)) == spec
    assert SweepSpec.parse(load_yaml(again)) == spec
