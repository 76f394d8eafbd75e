"""Forms of the trash and of removals for good, as the REST API gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from experiments.api.schemas import Number
from experiments.states import SweepState


class TrashedSweep(Schema):
    """A sweep in the trash."""

    id: str
    name: str
    experiment: str
    workspace: str
    status: SweepState
    runs: int
    size: int = Field(description="Bytes of its files, an estimate.")
    models: int = Field(description="Versions of models registered from it; they stay.")
    trashed: datetime
    trashed_by: str | None
    purge_at: datetime | None = Field(
        description="When it is deleted for good; null: only by a person."
    )
    removal: int | None = Field(description="The removal that is deleting it.")


class TrashPage(Schema):
    """A page of the trash, newest sweep first."""

    items: list[TrashedSweep]
    next_cursor: str | None


class RemovalOut(Schema):
    """Something that is being removed for good, or was."""

    id: int
    kind: Literal["sweep", "outputs", "snapshot", "leftovers"]
    workspace: str | None
    sweep: str
    name: str = Field(description="Of the sweep, or what it was.")
    runs: int = Field(description="Runs that lose something.")
    kept_best: int | None = Field(description="Of outputs: how many of the best runs kept theirs.")
    expected_bytes: int = Field(description="Estimate before.")
    freed_bytes: int = Field(description="Of the files removed so far.")
    by: str | None = Field(description="Null: a rule of the studio or of the sweep.")
    requested: datetime
    finished: datetime | None = Field(description="Null: it goes on by itself.")
    problem: str = Field(description="Why it does not get on; it is tried again.")


class RemovalPage(Schema):
    """A page of removals, newest first."""

    items: list[RemovalOut]
    next_cursor: str | None


class EmptiedTrash(Schema):
    """What emptying the trash began, and why some sweeps have to wait."""

    items: list[RemovalOut]
    refused: list[str]


class RunOutputsOut(Schema):
    """A run and the size of its outputs."""

    id: str
    number: int
    value: Number | None = Field(description="Its best value of the primary metric.")
    size: int = Field(description="Bytes.")
    reader: str = Field(description="The live sweep that resumes it and needs its outputs.")


class OutputsPlanOut(Schema):
    """What keeping only the outputs of the best runs would do."""

    best: int
    rule: int | None = Field(description="What a live sweep keeps at its end; null: everything.")
    kept: list[RunOutputsOut]
    held: list[RunOutputsOut] = Field(description="Not among the best, but needed.")
    removed: list[RunOutputsOut]
    freed_bytes: int


class OutputsRule(Schema):
    """How many of its best runs keep their outputs when a sweep ends; null: all of them."""

    model_config = ConfigDict(extra="forbid")

    keep_best: Annotated[int, Field(ge=0, le=1000, strict=True)] | None
