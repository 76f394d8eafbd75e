"""Registered models as people and programs read them: list, versions, files, JSON forms."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery

from experiments.models import ModelFile, ModelVersion, RegisteredModel, Run, Star, Sweep
from experiments.queries.json_forms import number_json
from experiments.queries.page import Page
from experiments.queries.visible import AnyUser, workspaces_for
from experiments.storable import is_storable

Stage = ModelVersion.Stage
# In the order in which people look for them.
MARKS = (Stage.PRODUCTION, Stage.STAGING)


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One line of the list of models."""

    model: RegisteredModel
    versions: int
    latest: ModelVersion | None
    marked: list[ModelVersion] = field(default_factory=list)


def models_for(user: AnyUser) -> QuerySet[RegisteredModel]:
    """Return the registered models in a person's workspaces."""
    return RegisteredModel.objects.filter(workspace__in=workspaces_for(user)).select_related(
        "workspace", "created_by"
    )


def find_model(user: AnyUser, name: str, *, workspace: str = "") -> RegisteredModel:
    """Return a model by its name; of several workspaces the one that is the person's oldest.

    Raises:
        RegisteredModel.DoesNotExist: there is none, or it is not this person's to see.
    """
    # PostgreSQL refuses to look for text that it could not hold.
    is_possible = is_storable(name) and is_storable(workspace)
    found = models_for(user).filter(name=name) if is_possible else RegisteredModel.objects.none()
    if workspace:
        found = found.filter(workspace__slug=workspace)
    model = found.order_by("workspace_id").first()
    if model is None:
        raise RegisteredModel.DoesNotExist(f"There is no model {name}.")
    return model


def versions_of(model: RegisteredModel, *, stage: str = "") -> QuerySet[ModelVersion]:
    """Return the versions of a model with what their pages show, newest first."""
    found = ModelVersion.objects.filter(model=model)
    if stage:
        found = found.filter(stage=stage)
    return found.select_related("model__workspace", "created_by", "stage_by", "run", "sweep")


def version_page(
    model: RegisteredModel, *, stage: str = "", before: int | None = None, limit: int = 50
) -> Page[ModelVersion]:
    """Return a page of the versions with numbers below `before`, newest first; two queries."""
    rows = versions_of(model, stage=stage)
    total = rows.count()
    if before is not None:
        rows = rows.filter(number__lt=before)
    found = list(rows.order_by("-number")[: limit + 1])
    shown = found[:limit]
    more = str(shown[-1].number) if len(found) > limit else None
    return Page(items=shown, next_cursor=more, total=total)


def model_list(
    user: AnyUser,
    *,
    text: str = "",
    starred: bool = False,
    workspace: str = "",
    offset: int = 0,
    limit: int = 50,
) -> Page[ModelRow]:
    """Return a page of a person's models, changed last first; four queries.

    Every word of `text` must stand in the name or the description; `starred` leaves those with the
    person's star; `workspace` is a short name.
    """
    rows = models_for(user) if is_storable(text) else RegisteredModel.objects.none()
    for word in text.split():
        # One condition: joined queries would double with every word.
        rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word))
    if starred:
        rows = rows.filter(stars__user=user.pk)
    if workspace:
        rows = rows.filter(workspace__slug=workspace)
    total = rows.count()
    found = list(rows.order_by("-updated_at", "-pk")[offset : offset + limit + 1])
    more = str(offset + limit) if len(found) > limit else None
    return Page(items=model_rows(found[:limit]), next_cursor=more, total=total, offset=offset)


def starred_models(user: AnyUser, keys: Collection[int]) -> set[int]:
    """Return which of these models have a person's star; one query."""
    stars = Star.objects.filter(user=user.pk, model__in=keys).values_list("model_id", flat=True)
    return {key for key in stars if key is not None}


def model_rows(models: Iterable[RegisteredModel]) -> list[ModelRow]:
    """Return models with their newest and their marked versions; two queries for all of them."""
    models = list(models)
    keys = [model.pk for model in models]
    counted = ModelVersion.objects.filter(model__in=keys).order_by().values_list("model")
    counts = dict(counted.annotate(n=Count("pk")))
    shown = (
        ModelVersion.objects.filter(model__in=keys, stage__in=MARKS)
        | ModelVersion.objects.filter(model__in=keys, number=_newest_number())
    ).select_related("created_by", "stage_by", "run", "sweep", "model__workspace")
    versions: dict[int, list[ModelVersion]] = {}
    for version in shown.order_by("number"):
        versions.setdefault(version.model_id, []).append(version)
    rows = []
    for model in models:
        own = versions.get(model.pk, [])
        marked = [version for stage in MARKS for version in own if version.stage == stage]
        rows.append(ModelRow(model, counts.get(model.pk, 0), own[-1] if own else None, marked))
    return rows


def versions_from(*, run: Run | None = None, sweep: Sweep | None = None) -> list[ModelVersion]:
    """Return what was registered from a run or from all runs of a sweep, newest first."""
    source = {"run": run} if run is not None else {"sweep": sweep}
    found = ModelVersion.objects.filter(**source).select_related("model__workspace", "created_by")
    return list(found.order_by("-pk")[:20])


def suggested_name(run: Run) -> str:
    """Return a name to register a run under: of its experiment's last model, else of itself."""
    experiment = run.sweep.experiment
    # The sweep of a version may be deleted, and the version stays.
    of_deleted = Q(sweep=None, experiment_name=experiment.name)
    last = (
        ModelVersion.objects.filter(Q(sweep__experiment=experiment) | of_deleted)
        .filter(model__workspace=experiment.workspace_id)
        .order_by("-pk")
        .values_list("model__name", flat=True)
        .first()
    )
    return last or experiment.name


def files_of_version(version: ModelVersion) -> list[ModelFile]:
    """Return the files of a version, by path."""
    return list(version.files.order_by("path"))


def archive_name(version: ModelVersion) -> str:
    """Return what the zip of a version is called."""
    return f"{version.model.name}-{version.number}.zip"


def model_json(row: ModelRow) -> dict[str, Any]:
    """Return the JSON form of a model."""
    model = row.model
    return {
        "name": model.name,
        "workspace": model.workspace.slug,
        "description": model.description,
        "url": model.get_absolute_url(),
        "versions": row.versions,
        "latest": version_json(row.latest) if row.latest else None,
        "marked": {version.stage: version.number for version in row.marked},
        "created_by": model.created_by.get_username() if model.created_by else None,
        "created": model.created_at,
        "updated": model.updated_at,
    }


def version_json(version: ModelVersion) -> dict[str, Any]:
    """Return the JSON form of a version; `model__workspace` and the people should be loaded."""
    return {
        "id": f"{version.model.name}:{version.number}",
        "name": version.model.name,
        "version": version.number,
        "workspace": version.model.workspace.slug,
        "url": version.get_absolute_url(),
        "path": version.path,
        "is_folder": version.is_folder,
        "files": version.file_count,
        "size": version.size_bytes,
        "metric": {
            "name": version.metric_name,
            "goal": version.goal,
            "value": number_json(version.metric_value),
        },
        "hyperparameters": version.params,
        "run": version.run_public_id,
        "sweep": version.sweep_public_id,
        "experiment": version.experiment_name,
        "snapshot": version.snapshot_digest,
        "command": version.command,
        "stage": version.stage,
        "stage_by": version.stage_by.get_username() if version.stage_by else None,
        "stage_changed": version.stage_at,
        "description": version.description,
        "tags": version.tags,
        "properties": version.properties,
        "created_by": version.created_by.get_username() if version.created_by else None,
        "created": version.created_at,
    }


def _newest_number() -> Subquery:
    newest = (
        ModelVersion.objects.filter(model=OuterRef("model"))
        .order_by()
        .values("model")
        .annotate(n=Max("number"))
        .values("n")
    )
    return Subquery(newest)
