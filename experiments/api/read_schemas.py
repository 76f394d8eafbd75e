"""Forms of runs as a page of them shows them: each with the value that counts. Holds no logic."""

from __future__ import annotations

from ninja import Field, Schema

from experiments.api.schemas import RunDetail


class ReadRun(RunDetail):
    """A run with the value that counts under the reading of its page."""

    value: float | None = Field(description="Of the primary metric, under `reading`.")


class RunPage(Schema):
    """A page of runs in sampling order; `reading` says which value of each is its `value`."""

    items: list[ReadRun]
    next_cursor: str | None
    reading: str = Field(description='"best", "last" or a step like "step:20".')
