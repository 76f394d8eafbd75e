"""Forms of registered models and their versions, as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from experiments.api.schemas import MarkName, MarkText, Number, Params

Stage = Literal["none", "staging", "production", "archived"]


class VersionMetric(Schema):
    """The primary metric of the run that a version comes from."""

    name: str
    goal: Literal["maximize", "minimize"]
    value: Number | None


class VersionOut(Schema):
    """A version of a model: files of one run, copied and kept."""

    id: str = Field(description="`name:version`.")
    name: str
    version: int
    workspace: str
    url: str = Field(description="Its page.")
    path: str = Field(description="What was taken of the run's files.")
    is_folder: bool = Field(description="Whether the path was a folder.")
    files: int
    size: int = Field(description="Bytes.")
    metric: VersionMetric
    hyperparameters: Params
    run: str
    sweep: str
    experiment: str
    snapshot: str = Field(description="SHA-256 of the code that made it.")
    command: list[str]
    stage: Stage = Field(description="One version at most is staging, and one production.")
    stage_by: str | None
    stage_changed: datetime | None
    description: str
    tags: dict[str, str | None]
    properties: dict[str, str]
    created_by: str | None
    created: datetime


class VersionPage(Schema):
    """A page of versions, newest first."""

    items: list[VersionOut]
    next_cursor: str | None


class ModelOut(Schema):
    """A registered model."""

    name: str
    workspace: str = Field(description="Short name of its workspace.")
    description: str
    url: str = Field(description="Its page.")
    versions: int
    latest: VersionOut | None = Field(description="Null when all versions are deleted.")
    marked: dict[str, int] = Field(description="Number of the version by stage.")
    created_by: str | None
    created: datetime
    updated: datetime


class ModelPage(Schema):
    """A page of models, changed last first."""

    items: list[ModelOut]
    next_cursor: str | None


class RegisterIn(Schema):
    """What to make a version of."""

    model_config = ConfigDict(extra="forbid")

    run: str = Field(description="Id of the run.", max_length=70)
    path: str = Field(
        "outputs",
        max_length=1000,
        description="Folder or file of the run's tree, for example outputs/model.pkl.",
    )
    description: str = ""
    tags: dict[MarkName, MarkText | None] = {}
    properties: dict[MarkName, MarkText] = {}


class ModelChanges(Schema):
    """Changes of a model."""

    model_config = ConfigDict(extra="forbid")

    description: str


class VersionChanges(Schema):
    """Changes of a version; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    stage: Stage | None = Field(
        None, description="Its mark; who had `staging` or `production` before becomes `archived`."
    )
    description: str | None = None
    tags: dict[MarkName, MarkText | None] = Field({}, description="Merged into the others.")
    remove_tags: list[str] = []
    properties: dict[MarkName, MarkText] = Field(
        {}, description="Added; one that exists cannot be changed."
    )


class ModelFileOut(Schema):
    """A file of a version."""

    path: str
    size: int
    digest: str = Field(description="SHA-256, hex.")
    url: str = Field(description="Where to download it.")


class ModelFileList(Schema):
    """The files of a version."""

    items: list[ModelFileOut]
    next_cursor: str | None
