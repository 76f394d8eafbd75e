"""Forms of what the REST API takes and gives; the OpenAPI document is made of these.

Field names are those of queries.sweep_json and queries.run_json. Holds no logic.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict, PlainValidator, StringConstraints

from experiments.states import RunState, SweepState
from experiments.storable import is_storable

NonFinite = Literal["NaN", "Infinity", "-Infinity"]
# A JSON number, or the name of a number that JSON cannot write.
Number = float | NonFinite
ParamValue = bool | int | float | str | None | list[Any] | dict[str, Any]
Params = dict[str, ParamValue]


class Entry(Schema):
    """One problem of a request."""

    path: str = Field(description="Where it stands, for example `search_space.lr`; empty: nowhere.")
    message: str = Field(description="What is wrong, with the value and what is allowed.")


class ProblemDocument(Schema):
    """Every error of this API, as `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Entry]


class SnapshotOut(Schema):
    """A stored source directory."""

    id: str = Field(description="SHA-256 of the stored zip: the `snapshot` of a sweep.")
    size: int = Field(description="Bytes.")
    files: int


class BestRun(Schema):
    """The winner so far."""

    id: str
    number: int
    value: Number
    hyperparameters: Params
    arguments: list[str]


class FoundRun(BestRun):
    """The best run that was looked for; it may be one of an earlier sweep."""

    sweep: str
    status: RunState
    reading: str = Field("best", description="Which value of the runs was compared.")


class Limits(Schema):
    """How far a sweep may go."""

    max_total_runs: int
    max_concurrent_runs: int
    max_duration_minutes: float
    run_timeout_minutes: float | None


class SweepOut(Schema):
    """A sweep."""

    id: str
    name: str
    experiment: str
    owner: str | None
    status: SweepState
    label: str = Field(description="The status as the pages say it.")
    css: str
    icon: str
    end_reason: str
    reason: str = Field(description="Why it ended, one sentence.")
    url: str = Field(description="Its page.")
    metric: str = Field(description="Name of the primary metric.")
    goal: Literal["maximize", "minimize"]
    limits: Limits
    counts: dict[str, int] = Field(description="Runs by status.")
    stopped_early: int = Field(description="How many of the canceled runs a policy stopped.")
    best_run: BestRun | None = Field(description="Of its own runs.")
    resume_from: list[str] = Field(description="Sweeps that it goes on from.")
    resume_child_runs: list[str] = Field(description="Runs of earlier sweeps that it resumes.")
    cursor: int = Field(description="Number of its last change.")
    created: datetime
    started: datetime | None
    ended: datetime | None
    deadline: datetime | None


class CreatedSweep(SweepOut):
    """A sweep that was just submitted."""

    warnings: list[str]


class CheckedSpec(Schema):
    """What a dry run found."""

    errors: list[Entry]
    warnings: list[str]


class SweepPage(Schema):
    """A page of sweeps."""

    items: list[SweepOut]
    next_cursor: str | None


class BestReport(Schema):
    """The best report of the primary metric of one run."""

    value: Number
    interval: int
    step: Number | None


class RunOut(Schema):
    """A run."""

    id: str
    sweep: str
    number: int
    status: RunState
    label: str = Field(description="The status as the pages say it.")
    css: str
    icon: str
    reason: str = Field(description="Why it ended, one sentence.")
    end_reason: str
    note: str = Field(description="Why the sampler chose these values.")
    hyperparameters: Params
    arguments: list[str]
    best: BestReport | None
    last: Number | None
    reports: int
    decision: dict[str, Any] | None = Field(description="The policy's last decision.")
    retry_of: str | None
    resumed_from: str | None = Field(
        description="The run of an earlier sweep that it goes on from."
    )
    worker: str
    exit_code: int | None
    duration: float | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    outputs_removed: datetime | None = Field(
        description="When somebody, or a rule, removed its outputs; null: nobody did."
    )


def check_storable(text: str) -> str:
    """Return text that every database can hold; refuse other text."""
    if not is_storable(text):
        raise ValueError("the text has a null character or half a character")
    return text


class RunDetail(RunOut):
    """A run with what its script and its people wrote on it."""

    facts: dict[str, Any] | None = Field(
        description="The numbers behind the note, as the sampler gave them: what it expected and "
        "what it compared with."
    )
    tags: dict[str, str | None]
    properties: dict[str, str]
    script: str | None = Field(description="The script, or the command of a sweep without one.")
    compute: str = Field(description="Name of the compute target.")
    owner: str | None


MarkName = Annotated[str, AfterValidator(check_storable)]
MarkText = Annotated[str, AfterValidator(check_storable)]


class MarksIn(Schema):
    """Changes of tags and properties; all of them are made, or none."""

    model_config = ConfigDict(extra="forbid")

    tags: dict[MarkName, MarkText | None] = Field({}, description="Merged into the others.")
    remove_tags: list[str] = Field([], description="Names; unknown ones are passed over.")
    properties: dict[MarkName, MarkText] = Field(
        {}, description="Added; one that exists cannot be changed."
    )


class RepeatedRuns(Schema):
    """The runs that repeat failed ones, by number."""

    items: list[RunOut]


class EventsOut(Schema):
    """Changes of a sweep after a cursor, the same as on its websocket."""

    cursor: int = Field(description="Send it as `after` to go on from here.")
    events: list[dict[str, Any]]


class CurveOut(Schema):
    """One run's reports of a metric, thinned out to what a chart can show."""

    run: str
    number: int
    status: RunState
    count: int = Field(description="Reports before thinning out.")
    intervals: list[int]
    steps: list[Number | None] | None
    times: list[float]
    values: list[Number]


class CurvesOut(Schema):
    """A metric of all runs of a sweep."""

    metric: str
    items: list[CurveOut]


class PackedArray(Schema):
    """Numbers as base64 of a little-endian array; `dtype` is f8, f4, u4, u2 or u1."""

    dtype: str
    bdata: str
    is_delta: bool | None = None


class PackedCurves(Schema):
    """A metric of all runs of a sweep, cut and packed as charts draw it."""

    cursor: int
    metric: str
    x: str
    low: float | None
    high: float | None
    is_whole: bool = Field(description="No point was left out.")
    numbers: list[int]
    reports: list[int]
    begins: list[float] | None = Field(description="When each first report came, by time.")
    counts: PackedArray
    xs: PackedArray
    ys: PackedArray
    base: float


class SeriesOut(Schema):
    """All reports of one metric by one run."""

    name: str
    count: int
    intervals: list[int]
    steps: list[Number | None] | None
    times: list[float]
    values: list[Number | str | None]


class SeriesList(Schema):
    """The metrics of a run."""

    items: list[SeriesOut]
    next_cursor: str | None


class LogPiece(Schema):
    """A piece of a run's log."""

    text: str
    offset: int
    next_offset: int = Field(description="Send it as `offset` to go on from here.")
    size: int = Field(description="Bytes of the log so far.")
    done: bool = Field(description="Whether the run has ended, so that nothing more will come.")


class FileOut(Schema):
    """A file of a run."""

    path: str
    size: int
    url: str = Field(description="Where to download it.")


class FileList(Schema):
    """The files of a run."""

    items: list[FileOut]
    next_cursor: str | None


def _read_value(value: Any) -> float | str:
    if isinstance(value, int | float):  # true and false count as 1 and 0, as in a script
        try:
            return float(value)
        except OverflowError:
            return str(value)
    if not isinstance(value, str) or len(value) > 1000:
        raise ValueError("use a number, or text of up to 1000 characters")
    return float(value) if value in get_args(NonFinite) else check_storable(value)


class ReportIn(Schema):
    """One value of a metric; `value` may be text."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str, StringConstraints(min_length=1, max_length=255), AfterValidator(check_storable)
    ]
    value: Annotated[
        float | str, PlainValidator(_read_value, json_schema_input_type=Number | str)
    ] = Field(description="A number, the name of a non-finite one, or text.")
    step: Annotated[float, Field(allow_inf_nan=False)] | None = None
    time: Annotated[float, Field(ge=0, le=1e11)] | None = Field(
        default=None, description="Unix seconds; default: now."
    )


class ReportsAccepted(Schema):
    """How many reports were put into the run's journal."""

    accepted: int


class WorkerOut(Schema):
    """One slot of a compute target."""

    name: str
    host: str
    pid: int
    gpu: str = Field(description="CUDA_VISIBLE_DEVICES of its runs; empty: unchanged.")
    started: datetime
    seen: datetime
    alive: bool
    busy: bool
    run: str | None = Field(description="What it executes, if you may see that run.")
    sweep_name: str | None = Field(description="Name of the sweep of that run.")
    run_started: datetime | None
    version: str = Field(description="Version of the studio on its machine.")
    is_same_version: bool = Field(description="Whether the web server has the same.")
    python: str = Field(description="Interpreter that its scripts get; empty: not known yet.")
    python_version: str = Field(description="What that interpreter says it is.")
    python_problem: str = Field(description="Why it cannot be used; empty: it can.")
    is_python_own: bool = Field(description="Its machine sets it (studio worker --python).")
    is_asked: bool = Field(description="It was asked to look again and has not answered yet.")


class ComputeOut(Schema):
    """A compute target."""

    name: str
    kind: str
    enabled: bool
    draining: bool = Field(description="Live runs go on, waiting ones wait.")
    queue: str = Field(description="Name of its RQ queue.")
    labels: dict[str, str] = Field(description="Labels; a word alone has an empty value.")
    python: str = Field(description="Interpreter for scripts; empty: that of the worker.")
    environment: dict[str, str] = Field(description="Variables of every run.")
    secrets: list[str] = Field(description="Names of the secret variables of every run.")
    slots: int = Field(description="Workers that are alive.")
    busy: int = Field(description="Runs that hold a slot.")
    queued: int = Field(description="Runs that wait for a slot.")
    workers: list[WorkerOut]


class ComputeChanged(ComputeOut):
    """A compute target that was changed."""

    warnings: list[str] = Field(description="What may be meant otherwise.")


class ComputePage(Schema):
    """The compute targets that you may use."""

    items: list[ComputeOut]
    next_cursor: str | None
