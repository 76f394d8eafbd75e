"""Submitting: every problem at once and nothing created, or a whole sweep."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from experiments.models import ComputeTarget, Event, Experiment, Run, Snapshot, Sweep
from experiments.problems import ProblemsError
from experiments.services.snapshots import snapshot_directory, snapshot_zip
from experiments.services.sweeps import check_spec, submit_spec
from experiments.spec import SweepSpec
from tests.factories import SPEC, make_compute, make_user, make_workspace

pytestmark = pytest.mark.django_db

AZURE_JOB = {
    "type": "sweep",
    "trial": {"command": "python train.py --lr ${{search_space.lr}}", "code": "."},
    "search_space": {"lr": {"type": "uniform", "min_value": 0, "max_value": 1}},
    "sampling_algorithm": "random",
    "objective": {"goal": "maximize", "primary_metric": "accuracy"},
    "limits": {"max_total_trials": 4},
}


@pytest.fixture
def alice():
    make_compute()
    return make_user()


@pytest.fixture
def workspace(alice):
    return make_workspace(alice)


@pytest.fixture
def source(settings, tmp_path):
    """A directory with a script, beside a storage of its own."""
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)")
    (folder / "evaluate.py").write_text("print(2)")
    return folder


def problems_of(raw, alice, workspace, **options) -> list[tuple[str, str]]:
    """Return the problems, after making sure that nothing was created."""
    with pytest.raises(ProblemsError) as error:
        submit_spec(raw, owner=alice, workspace=workspace, **options)
    assert not Sweep.objects.exists()
    assert not Experiment.objects.exists()
    assert not Snapshot.objects.exists()
    _, problems, _ = check_spec(raw, user=alice, workspace=workspace, **options)
    assert problems == error.value.problems
    return [(p.path, p.message) for p in problems]


def test_a_specification_becomes_a_sweep(alice, workspace, source):
    raw = {**SPEC, "tags": {"kind": "test"}, "description": "A first try."}

    sweep, warnings = submit_spec(
        raw, owner=alice, workspace=workspace, base_directory=source, allow_server_paths=True
    )

    assert warnings == []
    assert (sweep.state, sweep.name, sweep.experiment.name) == ("Queued", "digits", "digits")
    assert (sweep.owner, sweep.experiment.workspace) == (alice, workspace)
    assert (sweep.max_total_runs, sweep.max_concurrent_runs, sweep.seed) == (4, 2, 7)
    assert (sweep.metric_name, sweep.goal) == ("accuracy", "maximize")
    assert (sweep.tags, sweep.description) == ({"kind": "test"}, "A first try.")
    assert sweep.snapshot.file_count == 2
    assert SweepSpec.parse(sweep.spec) == SweepSpec.parse(raw)
    assert list(sweep.spec["search_space"]) == ["lr", "layers"]
    event = Event.objects.get(sweep=sweep)
    assert (event.cursor, sweep.cursor, event.message) == (1, 1, "Sweep: submitted by alice")
    assert sweep.public_id.startswith("HD_")
    assert not Run.objects.exists()


def test_yaml_is_as_good_as_a_mapping(alice, workspace, source):
    text = """
    script: train.py
    search_space: {lr: "loguniform(-6, -1)"}
    primary_metric: {name: accuracy, goal: maximize}
    max_total_runs: 200
    """

    sweep, _ = submit_spec(
        text, owner=alice, workspace=workspace, base_directory=source, allow_server_paths=True
    )

    assert (sweep.max_total_runs, sweep.max_concurrent_runs) == (200, 100)
    assert 0 <= sweep.seed < 2**31


def test_an_uploaded_snapshot_stands_in_for_the_directory(alice, workspace, source):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("train.py", "print(1)")
    archive.seek(0)
    snapshot = snapshot_zip(archive, workspace=workspace)

    sweep, _ = submit_spec(SPEC, owner=alice, workspace=workspace, snapshot_digest=snapshot.digest)

    assert sweep.snapshot == snapshot


def test_code_of_another_workspace_is_not_found_by_its_hash(alice, workspace, source):
    charlie = make_user("charlie")
    elsewhere = make_workspace(charlie, name="Elsewhere")
    snapshot = snapshot_directory(source, workspace=workspace)
    given = {"workspace": elsewhere, "snapshot_digest": snapshot.digest}

    with pytest.raises(ProblemsError) as error:
        submit_spec(SPEC, owner=charlie, **given)

    (problem,) = error.value.problems
    assert problem.path == "snapshot"
    assert problem.message.startswith("There is no snapshot")
    assert check_spec(SPEC, user=charlie, **given)[1] == [problem]
    assert not Sweep.objects.exists()


def test_code_goes_with_its_owner_to_another_workspace(alice, workspace, source):
    elsewhere = make_workspace(alice, name="Elsewhere")
    snapshot = snapshot_directory(source, workspace=workspace)

    submit_spec(SPEC, owner=alice, workspace=elsewhere, snapshot_digest=snapshot.digest)

    assert set(snapshot.workspaces.all()) == {workspace, elsewhere}


def test_every_problem_is_told_at_once(alice, workspace, source):
    raw = {
        **SPEC,
        "compute": "locl",
        "script": "trian.py",
        "max_total_runs": 0,
        "search_spce": {},
    }

    found = problems_of(raw, alice, workspace, base_directory=source, allow_server_paths=True)

    assert [path for path, _ in found][-2:] == ["compute", "script"]
    assert {path for path, _ in found} == {"max_total_runs", "search_spce", "compute", "script"}


def test_an_unknown_compute_target_is_told_with_what_there_is(alice, workspace, source):
    found = problems_of(
        {**SPEC, "compute": "locl"},
        alice,
        workspace,
        base_directory=source,
        allow_server_paths=True,
    )

    assert found == [
        ("compute", 'There is no compute target "locl"; there is "local". Did you mean "local"?')
    ]


def test_a_compute_target_of_another_workspace_does_not_exist_here(alice, workspace, source):
    other = make_compute("gpu")
    other.workspace = make_workspace(make_user("charlie"), name="Other")
    other.save()

    ((path, message),) = problems_of(
        {**SPEC, "compute": "gpu"},
        alice,
        workspace,
        base_directory=source,
        allow_server_paths=True,
    )

    assert (path, message) == (
        "compute",
        'There is no compute target "gpu"; there is "local".',
    )


def test_a_disabled_compute_target_is_refused(alice, workspace, source):
    target = make_compute("slow")
    target.is_enabled = False
    target.save()

    ((_, message),) = problems_of(
        {**SPEC, "compute": "slow"},
        alice,
        workspace,
        base_directory=source,
        allow_server_paths=True,
    )

    assert message == '"slow" is disabled; choose another compute target.'


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            {"script": "trian.py"},
            "script",
            '"trian.py" is not in source_directory, which has evaluate.py, train.py. '
            'Did you mean "train.py"?',
        ),
        (
            {"script": "sub/train.py"},
            "script",
            '"sub/train.py" is not in source_directory, which has evaluate.py, train.py. '
            'Did you mean "train.py"?',
        ),
        (
            {"script": None, "command": "python fit_model.py --lr ${{search_space.lr}}"},
            "command",
            '"fit_model.py" is not in source_directory, which has evaluate.py, train.py.',
        ),
    ],
)
def test_a_script_that_is_not_there_is_refused(alice, workspace, source, change, path, message):
    found = problems_of(
        {**SPEC, **change}, alice, workspace, base_directory=source, allow_server_paths=True
    )

    assert found == [(path, message)]


def test_a_script_is_found_however_its_path_is_written(alice, workspace, source):
    sweep, _ = submit_spec(
        {**SPEC, "script": "./train.py", "source_directory": str(source)},
        owner=alice,
        workspace=workspace,
        allow_server_paths=True,
    )

    assert sweep.spec["script"] == "./train.py"


@pytest.mark.parametrize(
    ("options", "path", "start"),
    [
        ({"allow_server_paths": True}, "source_directory", '"." is relative, and it is not known'),
        ({}, "snapshot", "The source directory is missing: upload it"),
        ({"snapshot_digest": "a" * 64}, "snapshot", 'There is no snapshot "aaaa'),
        (
            {"allow_server_paths": True, "base_directory": Path("/nowhere")},
            "source_directory",
            '"/nowhere" is not a directory',
        ),
    ],
)
def test_files_that_are_not_there_are_refused(alice, workspace, source, options, path, start):
    ((found, message),) = problems_of(SPEC, alice, workspace, **options)

    assert found == path
    assert message.startswith(start)


def test_a_snapshot_whose_file_is_gone_is_told(alice, workspace, source):
    workspace.snapshots.create(digest="b" * 64, size_bytes=1, file_count=1)

    _, problems, _ = check_spec(SPEC, user=alice, workspace=workspace, snapshot_digest="b" * 64)

    (problem,) = problems
    assert problem.path == "snapshot"
    assert problem.message.endswith("upload them again.")


def test_a_person_without_a_workspace_can_submit_nothing(alice, source):
    found = problems_of(SPEC, alice, None, base_directory=source, allow_server_paths=True)

    assert found == [("", "You are in no workspace, so there is nowhere to put the sweep.")]


def test_warnings_come_with_the_sweep(alice, workspace, source):
    raw = {**SPEC, "search_space": {"a": "choice(1, 2)"}, "max_total_runs": 5}

    _, warnings = submit_spec(
        raw, owner=alice, workspace=workspace, base_directory=source, allow_server_paths=True
    )

    assert len(warnings) == 1
    assert "2 configurations, fewer than max_total_runs 5" in warnings[0]


@pytest.mark.parametrize(
    ("cluster", "target", "warnings"),
    [
        ("azureml:gpu-box", "gpu-box", []),
        ("gpu-box", "gpu-box", []),
        (
            "azureml:cpu-cluster",
            "local",
            ['compute "azureml:cpu-cluster" is not of this studio; the runs use local.'],
        ),
    ],
)
def test_cluster_of_an_azure_file_is_the_target_of_that_name(
    alice, workspace, source, cluster, target, warnings
):
    make_compute("gpu-box")

    sweep, found = submit_spec(
        {**AZURE_JOB, "compute": cluster},
        owner=alice,
        workspace=workspace,
        base_directory=source,
        allow_server_paths=True,
    )

    assert (sweep.compute.name, sweep.spec["compute"]) == (target, target)
    assert found == warnings


def test_cluster_of_an_azure_file_that_is_disabled_here_is_refused(alice, workspace, source):
    ComputeTarget.objects.create(name="gpu-box", is_enabled=False)

    found = problems_of(
        {**AZURE_JOB, "compute": "azureml:gpu-box"},
        alice,
        workspace,
        base_directory=source,
        allow_server_paths=True,
    )

    assert found == [("compute", '"gpu-box" is disabled; choose another compute target.')]


def test_unknown_cluster_becomes_the_first_target_that_takes_runs(alice, workspace, source):
    ComputeTarget.objects.filter(name="local").update(is_enabled=False)
    make_compute("gpu-box")

    sweep, (warning,) = submit_spec(
        {**AZURE_JOB, "compute": "azureml:cpu-cluster"},
        owner=alice,
        workspace=workspace,
        base_directory=source,
        allow_server_paths=True,
    )

    assert sweep.compute.name == "gpu-box"
    assert warning.endswith("the runs use gpu-box.")
