"""Registered models: make a version of a run, mark it, describe it, delete it.

A version has its own copy of the files, so that nothing that happens to the run touches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from experiments.clock import now
from experiments.models import Event, ModelFile, ModelVersion, RegisteredModel, Run, Workspace
from experiments.problems import Problem, ProblemsError
from experiments.queries.json_forms import in_declared_order
from experiments.services import model_files
from experiments.services.audit import Act, record
from experiments.services.events import append_event
from experiments.services.model_files import CopiedFile
from experiments.services.refused import Refused
from experiments.services.run_marks import MAX_KEY, MAX_MARKS, MAX_VALUE
from experiments.storable import unstorable_texts
from experiments.storage.chosen import tree_of

Stage = ModelVersion.Stage
DEFAULT_PATH: Final = "outputs"
MAX_DESCRIPTION: Final = 10_000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
# One version of a model at a time: whoever deploys must not have to choose.
_ALONE: Final = frozenset({Stage.STAGING, Stage.PRODUCTION})


def register_model(
    run: Run,
    *,
    name: str,
    user: User | None,
    path: str = DEFAULT_PATH,
    description: str = "",
    tags: Mapping[str, str | None] | None = None,
    properties: Mapping[str, str] | None = None,
) -> ModelVersion:
    """Make the next version of the model `name` of files of a run; a new name makes the model.

    Copies the files, stores the rows and notes it in the sweep's log; all of it or nothing.

    Raises:
        ProblemsError: the name, the path or a mark is wrong.
        Refused: the run has no files yet, or they cannot be copied.
    """
    problems = check_name(name) + _check_texts(description, tags or {}, properties or {})
    if problems:
        raise ProblemsError(problems)
    if not run.directory:
        raise Refused(f"Run {run.number} has not started, so it has no files to register.")
    version = _new_version(run, user)
    version.path = path.strip().strip("/")
    version.description = description.strip()
    version.tags, version.properties = dict(tags or {}), dict(properties or {})
    try:
        chosen, version.is_folder = model_files.choose_files(
            tree_of(run.directory), path, digests=_stored_digests(run)
        )
        with model_files.copied(chosen, version.folder) as files:
            return _store(version, files, name=name, workspace=run.sweep.experiment.workspace)
    except OSError as error:
        text = error.strerror or str(error)
        raise Refused(f"The files of run {run.number} cannot be copied: {text}.") from error


def mark_version(version: ModelVersion, *, stage: str, user: User) -> ModelVersion:
    """Mark a version; the one that was Staging or Production before becomes Archived.

    Raises:
        ProblemsError: there is no such stage.
    """
    if stage not in Stage.values:
        known = ", ".join(f'"{value}"' for value in Stage.values)
        raise ProblemsError([Problem("stage", f'"{stage}" is no stage; use one of {known}.')])
    moment = now()
    with transaction.atomic():
        # The model's row first: two people who mark at once do it one after the other.
        _touch(version.model_id)
        if stage in _ALONE:
            earlier = ModelVersion.objects.filter(model=version.model_id, stage=stage)
            earlier.exclude(pk=version.pk).update(
                stage=Stage.ARCHIVED, stage_by=user, stage_at=moment
            )
        ModelVersion.objects.filter(pk=version.pk).exclude(stage=stage).update(
            stage=stage, stage_by=user, stage_at=moment
        )
    return _fresh(version)


def change_version(
    version: ModelVersion,
    *,
    description: str | None = None,
    tags: Mapping[str, str | None] | None = None,
    removed_tags: Iterable[str] = (),
    properties: Mapping[str, str] | None = None,
) -> ModelVersion:
    """Change what is written on a version: tags are merged, properties are added for good.

    Raises:
        ProblemsError: a text is too long, there are too many marks, or a property exists.
    """
    problems = _check_texts(description or "", tags or {}, properties or {})
    with transaction.atomic():
        _touch(version.model_id)
        fresh = _fresh(version)
        gone = set(removed_tags)
        fresh.tags = {k: v for k, v in fresh.tags.items() if k not in gone} | dict(tags or {})
        problems += [
            Problem(f"properties.{key}", f"{key} is {fresh.properties[key]!r} for good.")
            for key in properties or {}
            if key in fresh.properties
        ]
        fresh.properties = {**fresh.properties, **(properties or {})}
        problems += _too_many("tags", fresh.tags) + _too_many("properties", fresh.properties)
        if problems:
            raise ProblemsError(problems)
        if description is not None:
            fresh.description = description.strip()
        fresh.save(update_fields=["description", "tags", "properties"])
    return fresh


def describe_model(model: RegisteredModel, *, description: str) -> RegisteredModel:
    """Say in words what a model is for.

    Raises:
        ProblemsError: the text is too long.
    """
    problems = _check_texts(description, {}, {})
    if problems:
        raise ProblemsError(problems)
    model.description = description.strip()
    model.save(update_fields=["description"])
    return model


def delete_version(version: ModelVersion, *, user: User | None = None) -> None:
    """Delete a version and its files; its number is not given again.

    Raises:
        Refused: it is Staging or Production, so somebody relies on it.
    """
    with transaction.atomic():
        _touch(version.model_id)
        deletable = ModelVersion.objects.filter(pk=version.pk).exclude(stage__in=_ALONE)
        if not deletable.exists():
            stage = _fresh(version).get_stage_display()
            raise Refused(f"Version {version.number} is {stage}; remove that mark first.")
        deletable.delete()
        record(
            Act.MODEL_VERSION_DELETED,
            by=user,
            workspace=version.model.workspace,
            about=version.model.name,
            about_id=str(version.number),
            details={"run": version.run_public_id},
        )
        transaction.on_commit(
            partial(model_files.remove_version, version.model_id, version.folder), robust=True
        )


def delete_model(model: RegisteredModel, *, user: User | None = None) -> None:
    """Delete a model that has no versions left.

    Raises:
        Refused: it has some.
    """
    with transaction.atomic():
        _touch(model.pk)
        count = model.versions.count()
        if count:
            left, them = ("1 version", "it") if count == 1 else (f"{count} versions", "them")
            raise Refused(f"{model.name} has {left}; delete {them} first.")
        RegisteredModel.objects.filter(pk=model.pk).delete()
        record(Act.MODEL_DELETED, by=user, workspace=model.workspace, about=model.name)


def check_name(name: str) -> list[Problem]:
    """Return what is wrong with the name of a model."""
    if _NAME.fullmatch(name):
        return []
    shown = ascii(name[:80])[1:-1]
    text = (
        f'The name "{shown}" cannot be used; use 1 to 255 letters, digits, dots, hyphens and '
        "underscores, and begin with a letter or digit."
    )
    return [Problem("name", text)]


def _stored_digests(run: Run) -> dict[str, str]:
    """Return the hashes of what a run has in a bucket; what lies on the disk was not sent."""
    if Path(run.directory).is_absolute():
        return {}
    return dict(run.artifacts.values_list("path", "digest"))


def _new_version(run: Run, user: User | None) -> ModelVersion:
    sweep = run.sweep
    return ModelVersion(
        run=run,
        sweep=sweep,
        run_public_id=run.public_id,
        run_number=run.number,
        sweep_public_id=sweep.public_id,
        sweep_name=sweep.name,
        experiment_name=sweep.experiment.name,
        snapshot_digest=sweep.snapshot.digest,
        command=run.command,
        metric_name=sweep.metric_name,
        goal=sweep.goal,
        metric_value=run.best_value,
        params=in_declared_order(run.params, sweep.spec),
        created_by=user,
    )


def _store(
    version: ModelVersion, files: list[CopiedFile], *, name: str, workspace: Workspace
) -> ModelVersion:
    """Store a version with its files: the files are there before the rows say so."""
    version.file_count = len(files)
    version.size_bytes = sum(file.size_bytes for file in files)
    # On its own: the files may take minutes, and no transaction waits for them.
    model, is_new = RegisteredModel.objects.get_or_create(
        workspace=workspace,
        name=name,
        defaults={"created_by": version.created_by, "updated_at": now()},
    )
    try:
        model_files.keep_copy(model.pk, version.folder, files)
        known = _store_rows(version, model, files)
    except BaseException:
        model_files.remove_version(model.pk, version.folder)
        if is_new:
            RegisteredModel.objects.filter(pk=model.pk, last_number=0).delete()
        raise
    model_files.remove_leftovers(model.pk, known)
    return version


def _store_rows(
    version: ModelVersion, model: RegisteredModel, files: list[CopiedFile]
) -> list[str]:
    """Store the rows of a version; return the folders of all versions of the model."""
    with transaction.atomic():
        # Counts up in the row itself: whoever comes second waits here for the commit.
        _touch(model.pk, last_number=F("last_number") + 1)
        model.refresh_from_db(fields=["last_number", "updated_at"])
        version.model, version.number = model, model.last_number
        version.save(force_insert=True)
        ModelFile.objects.bulk_create(
            ModelFile(version=version, path=f.name, size_bytes=f.size_bytes, digest=f.digest)
            for f in files
        )
        append_event(
            version.sweep_id or 0,
            Event.Kind.NOTICE,
            f"Run {version.run_number}: registered as {model.name}, version {version.number}"
            f"{f' by {version.created_by.get_username()}' if version.created_by else ''}",
            run_id=version.run_id,
            by=version.created_by,
        )
        return list(model.versions.values_list("folder", flat=True))


def _touch(model_id: int, **changes: Any) -> None:
    """Note that a model has changed, which locks its row until the commit.

    Raises:
        RegisteredModel.DoesNotExist: it has been deleted meanwhile.
    """
    changed = RegisteredModel.objects.filter(pk=model_id).update(updated_at=now(), **changes)
    if not changed:
        raise RegisteredModel.DoesNotExist("The model has been deleted.")


def _fresh(version: ModelVersion) -> ModelVersion:
    return ModelVersion.objects.select_related(
        "model__workspace", "created_by", "stage_by", "run", "sweep"
    ).get(pk=version.pk)


def _check_texts(
    description: str, tags: Mapping[str, str | None], properties: Mapping[str, str]
) -> list[Problem]:
    problems = []
    if len(description) > MAX_DESCRIPTION:
        text = f"The description has {len(description)} characters; use at most {MAX_DESCRIPTION}."
        problems.append(Problem("description", text))
    for field, marks in (("tags", tags), ("properties", properties)):
        problems += _too_many(field, marks)
        for key, value in marks.items():
            if not 0 < len(key) <= MAX_KEY:
                text = f"The name has {len(key)} characters; use 1 to {MAX_KEY}."
                problems.append(Problem(f"{field}.{key[:MAX_KEY]}", text))
            elif value is not None and len(value) > MAX_VALUE:
                text = f"{key} has {len(value)} characters; use at most {MAX_VALUE}."
                problems.append(Problem(f"{field}.{key}", text))
    document = {"description": description, "tags": dict(tags), "properties": dict(properties)}
    return problems + list(unstorable_texts(document))


def _too_many(field: str, marks: Mapping[str, Any]) -> list[Problem]:
    if len(marks) <= MAX_MARKS:
        return []
    return [Problem(field, f"The version would have {len(marks)} {field}; at most {MAX_MARKS}.")]
