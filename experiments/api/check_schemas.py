"""Form of a check before a launch, as the REST API gives it. Holds no logic."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Field, Schema

from experiments.api.schemas import Number, Params
from experiments.check_facts import Mark, Outcome


class CheckLineOut(Schema):
    """One thing that the check looked at."""

    key: str = Field(description="start, arguments, metric, reports, policy, end or estimate.")
    mark: Mark = Field(description="ok, bad, warn (legal and worth a look) or wait.")
    label: str
    text: str = Field(description="One sentence.")


class CheckMetric(Schema):
    """One metric that the run logged."""

    name: str
    reports: int
    last: Number | None = Field(description="The last finite value.")


class CheckRunOut(Schema):
    """A check: one configuration of a specification, tried before anything is launched."""

    id: str
    outcome: Outcome = Field(description="waiting, running, passed, failed or canceled.")
    is_over: bool
    headline: str
    lines: list[CheckLineOut]
    metric: str = Field(description="The primary metric of the specification.")
    metrics: list[CheckMetric]
    offered_metrics: list[str] = Field(
        description="Names that were logged while the primary metric is missing, likeliest first."
    )
    hyperparameters: Params = Field(description="The configuration that is tried.")
    note: str = Field(description="Where the configuration comes from.")
    arguments: list[str]
    command: list[str] = Field(description="The whole command, word by word; empty before.")
    seconds: float = Field(description="The time limit of the check.")
    elapsed: float | None = Field(description="Seconds since the script started.")
    exit_code: int | None
    seconds_per_report: float | None
    seconds_per_run: float | None
    basis: Literal["measured", "extrapolated", "at least"] | None = Field(
        description="What seconds_per_run rests on: a full run, its beginning, or only the limit."
    )
    estimated_seconds: float | None = Field(description="Of the whole sweep, on the same basis.")
    log: str = Field(description="The end of what the script printed.")
    snapshot: str = Field(description="Id of the source directory that was tried; submit the same.")
    cursor: int
    created: datetime
    ended: datetime | None


class StartedCheck(CheckRunOut):
    """A check that was just started, with what is legal and probably not meant."""

    warnings: list[str]
