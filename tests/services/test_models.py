"""Registered models: whole or not at all, numbered without gaps, independent of their runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

import pytest
from django.utils import timezone

from experiments.models import Event, ModelFile, ModelVersion, RegisteredModel, Run
from experiments.problems import ProblemsError
from experiments.services import model_files
from experiments.services.models import (
    change_version,
    delete_model,
    delete_version,
    describe_model,
    mark_version,
    register_model,
)
from experiments.services.refused import Refused
from tests.factories import make_run, make_sweep, make_user, make_workspace
from tests.model_world import content_of, ended_run, register, stored_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def storage(tmp_path, settings) -> Path:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return settings.STUDIO_STORAGE_ROOT


@pytest.fixture
def run(tmp_path, storage) -> Run:
    return ended_run(tmp_path / "run", lr=0.25, layers=2)


def problems_of(act):
    with pytest.raises(ProblemsError) as caught:
        act()
    return {problem.path: problem.message for problem in caught.value.problems}


def stages(model):
    return dict(model.versions.order_by("number").values_list("number", "stage"))


def test_version_keeps_files_metric_hyperparameters_and_lineage(run, storage):
    version = register(run, description=" the good one ", tags={"a": None}, properties={"b": "1"})

    assert content_of(version) == {"model.pkl": b"weights\x00", "deep/notes.txt": b"fine"}
    files = {f.path: (f.size_bytes, f.digest) for f in version.files.all()}
    assert files["model.pkl"] == (8, hashlib.sha256(b"weights\x00").hexdigest())
    assert (version.file_count, version.size_bytes, version.is_folder) == (2, 12, True)
    assert (version.model.name, version.number, version.path) == ("digits", 1, "outputs")
    assert (version.metric_name, version.goal, version.metric_value) == (
        "accuracy",
        "maximize",
        0.9,
    )
    assert list(version.params.items()) == [("lr", 0.25), ("layers", 2)]
    assert (version.run, version.sweep) == (run, run.sweep)
    assert version.run_public_id == run.public_id
    assert version.sweep_public_id == run.sweep.public_id
    assert version.snapshot_digest == run.sweep.snapshot.digest
    assert version.command == run.command == ["python", "train.py", "--lr", "0.25", "--layers", "2"]
    assert (version.experiment_name, version.sweep_name) == ("digits", "digits")
    assert (version.description, version.tags, version.properties) == (
        "the good one",
        {"a": None},
        {"b": "1"},
    )
    assert version.created_by.username == "alice"
    assert version.stage == "none"


def test_registration_stands_in_the_log_of_the_sweep(run):
    register(run)

    event = Event.objects.filter(sweep=run.sweep).latest("cursor")
    assert event.message == f"Run {run.number}: registered as digits, version 1 by alice"
    assert event.run == run


def test_single_file_keeps_its_own_name(run):
    version = register(run, path="/outputs/deep/notes.txt")

    assert content_of(version) == {"notes.txt": b"fine"}
    assert (version.path, version.is_folder) == ("outputs/deep/notes.txt", False)


def test_numbers_count_up_per_model_and_workspace(run, tmp_path):
    bob = make_user("bob")
    elsewhere = make_workspace(bob, name="Elsewhere")
    other = ended_run(tmp_path / "other", sweep=make_sweep(owner=bob, workspace=elsewhere))

    found = [register(r, name) for r, name in [(run, "a"), (run, "a"), (run, "b"), (other, "a")]]

    assert [(v.model.name, v.number) for v in found] == [("a", 1), ("a", 2), ("b", 1), ("a", 1)]
    assert found[0].model == found[1].model != found[3].model


def test_copy_is_independent_of_the_run(run, storage, tmp_path):
    version = register(run)

    (Path(run.directory) / "outputs/model.pkl").write_bytes(b"changed")
    shutil.rmtree(run.directory)
    run.sweep.delete()

    version = ModelVersion.objects.get(pk=version.pk)
    assert content_of(version)["model.pkl"] == b"weights\x00"
    assert (version.run, version.sweep) == (None, None)
    assert version.run_public_id == run.public_id


def test_copies_are_read_only(run):
    version = register(run)

    folder = model_files.version_folder(version.model_id, version.folder)
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o444}


def test_links_out_of_the_run_are_not_followed(run, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (Path(run.directory) / "outputs/link").symlink_to(tmp_path / "secret")

    assert "link" not in content_of(register(run))


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "ä", "a" * 256, "a\n", "a\0"])
def test_names_that_cannot_be_an_address_are_refused(run, storage, name):
    assert "letters, digits, dots" in problems_of(lambda: register(run, name))["name"]
    assert not RegisteredModel.objects.exists()
    assert stored_files(storage) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("outputs/x.pkl", 'The run has no file or folder "outputs/x.pkl"; it has logs, outputs.'),
        ("../run/outputs", 'The run has no file or folder "../run/outputs"; it has logs, outputs.'),
        ("outputs/mod", 'The run has no file or folder "outputs/mod"; it has logs, outputs.'),
        ("", 'The run has no file or folder ""; it has logs, outputs.'),
        ("a\0", r'The run has no file or folder "a\x00"; it has logs, outputs.'),
    ],
)
def test_paths_that_are_not_there_are_refused(run, storage, path, message):
    assert problems_of(lambda: register(run, path=path)) == {"path": message}
    assert not RegisteredModel.objects.exists()
    assert stored_files(storage) == []


def test_names_of_files_that_no_row_can_hold_are_refused(run):
    (Path(run.directory) / "outputs" / os.fsdecode(b"a\xff")).write_text("x")

    found = problems_of(lambda: register(run))
    assert found == {"path": "The file 'a\\udcff' has a name that cannot be kept; rename it."}


def test_too_many_files_are_refused(run, monkeypatch):
    monkeypatch.setattr(model_files, "MAX_FILES", 1)

    found = problems_of(lambda: register(run))
    assert found == {"path": '"outputs" has 2 files; a model has at most 1.'}


def test_files_that_vanished_are_no_obstacle_to_deleting(
    run, storage, django_capture_on_commit_callbacks
):
    version = register(run)
    shutil.rmtree(storage / "models" / str(version.model_id))

    with django_capture_on_commit_callbacks(execute=True):
        delete_version(version)

    assert not ModelVersion.objects.exists()


def test_all_wrong_marks_are_told_together(run):
    found = problems_of(
        lambda: register(
            run,
            description="x" * 10_001,
            tags={"": "x", "a": "y" * 1001},
            properties={f"p{n}": "" for n in range(51)},
        )
    )

    assert set(found) == {"description", "tags.", "tags.a", "properties"}


def test_run_that_has_not_started_has_nothing_to_register(storage):
    run = make_run(make_sweep())

    with pytest.raises(Refused, match="Run 0 has not started"):
        register(run)


def test_failed_copy_leaves_nothing(run, storage):
    storage.mkdir()
    (storage / "models").write_text("in the way")

    with pytest.raises(Refused, match="The files of run 0 cannot be copied: "):
        register(run)

    assert not RegisteredModel.objects.exists()
    assert [path.name for path in storage.iterdir()] == ["models"]


def test_failure_after_the_copy_leaves_neither_rows_nor_files_nor_a_gap(run, storage):
    version = register(run)
    folder, aside = storage / "models" / str(version.model_id), storage / "aside"
    folder.rename(aside)
    folder.write_text("in the way")

    with pytest.raises(Refused, match="cannot be copied"):
        register(run)

    assert stored_files(storage) == [folder.name]
    assert (ModelVersion.objects.count(), ModelFile.objects.count()) == (1, 2)
    folder.unlink()
    aside.rename(folder)
    assert register(run).number == 2


def test_leftovers_of_a_killed_process_are_removed(run, storage):
    version = register(run)
    old, new = (storage / "models" / place for place in ("incoming/old", "incoming/new"))
    unknown = storage / "models" / str(version.model_id) / "unknown"
    for folder in (old, new, unknown):
        folder.mkdir(parents=True)
        (folder / "half").write_text("half")
    yesterday = time.time() - 2 * 86400
    known = model_files.version_folder(version.model_id, version.folder)
    for folder in (old, unknown, known):
        os.utime(folder, (yesterday, yesterday))

    register(run)

    assert (old.exists(), unknown.exists(), new.exists()) == (False, False, True)
    assert content_of(version)["model.pkl"] == b"weights\x00"


def test_only_one_version_is_production_and_one_staging(run):
    one, two, three = (register(run) for _ in range(3))
    user = run.sweep.owner

    mark_version(one, stage="production", user=user)
    mark_version(two, stage="staging", user=user)
    assert stages(one.model) == {1: "production", 2: "staging", 3: "none"}

    marked = mark_version(two, stage="production", user=user)
    assert stages(one.model) == {1: "archived", 2: "production", 3: "none"}
    assert (marked.stage, marked.stage_by) == ("production", user)
    assert timezone.now() >= marked.stage_at > one.created_at

    mark_version(three, stage="archived", user=user)
    mark_version(one, stage="none", user=user)
    assert stages(one.model) == {1: "none", 2: "production", 3: "archived"}


def test_marking_again_changes_nothing(run):
    first = mark_version(register(run), stage="production", user=run.sweep.owner)

    again = mark_version(first, stage="production", user=make_user("bob"))

    assert (again.stage_by, again.stage_at) == (first.stage_by, first.stage_at)


def test_unknown_stage_is_refused(run):
    version = register(run)

    found = problems_of(lambda: mark_version(version, stage="live", user=run.sweep.owner))
    assert found == {
        "stage": '"live" is no stage; use one of "none", "staging", "production", "archived".'
    }


def test_words_and_tags_change_and_properties_stay(run):
    version = register(run, tags={"a": "1", "b": "2"}, properties={"p": "1"})

    changed = change_version(
        version, description=" new ", tags={"c": None}, removed_tags=["a"], properties={"q": "2"}
    )
    assert changed.description == "new"
    assert changed.tags == {"b": "2", "c": None}
    assert changed.properties == {"p": "1", "q": "2"}

    found = problems_of(lambda: change_version(version, description="x", properties={"p": "9"}))
    assert found == {"properties.p": "p is '1' for good."}
    version.refresh_from_db()
    assert (version.description, version.properties["p"]) == ("new", "1")


def test_tags_are_limited_together(run):
    version = register(run, tags={f"t{n}": "" for n in range(50)})

    found = problems_of(lambda: change_version(version, tags={"more": ""}))
    assert found == {"tags": "The version would have 51 tags; at most 50."}


def test_description_of_a_model(run):
    model = register(run).model

    assert describe_model(model, description=" for digits ").description == "for digits"
    assert (
        "at most 10000"
        in problems_of(lambda: describe_model(model, description="x" * 10001))["description"]
    )


def test_deleted_version_takes_its_files_and_its_number_along(
    run, storage, django_capture_on_commit_callbacks
):
    one, two = register(run), register(run)

    with django_capture_on_commit_callbacks(execute=True):
        delete_version(two)

    assert content_of(one)["model.pkl"] == b"weights\x00"
    assert len(stored_files(storage)) == 2
    assert ModelFile.objects.count() == 2
    assert register(run).number == 3


@pytest.mark.parametrize("stage", ["production", "staging"])
def test_version_that_somebody_relies_on_is_not_deleted(run, stage):
    version = mark_version(register(run), stage=stage, user=run.sweep.owner)

    with pytest.raises(Refused, match=f"Version 1 is {stage.capitalize()}; remove that mark"):
        delete_version(version)

    assert content_of(version)["model.pkl"] == b"weights\x00"


def test_model_is_deleted_when_no_version_is_left(run):
    version = register(run)
    model = version.model

    with pytest.raises(Refused, match="digits has 1 version; delete it first"):
        delete_model(model)
    delete_version(version)
    delete_model(model)

    assert not RegisteredModel.objects.exists()
    with pytest.raises(RegisteredModel.DoesNotExist):
        delete_model(model)


def test_run_without_a_metric_can_be_registered(tmp_path, storage):
    version = register(ended_run(tmp_path / "run", value=None))

    assert version.metric_value is None


def test_script_without_an_owner_registers_in_nobodys_name(run):
    version = register_model(run, name="digits", user=None)

    assert version.created_by is None
    assert Event.objects.latest("pk").message.endswith("registered as digits, version 1")
