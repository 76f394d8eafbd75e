"""What REST adds to one sweep and one run: where they stand in the queue of their target."""

from __future__ import annotations

from ninja import Field, Schema

from experiments.api.schemas import RunDetail, SweepOut


class PlaceOut(Schema):
    """Where waiting runs stand in the queue of their compute target."""

    waiting: int = Field(description="How many runs wait for a slot.")
    position: int = Field(description="Of the first of them, from 1, in the order of starts.")
    of: int = Field(description="How many runs wait for the target, those of others included.")
    starts_in: float | None = Field(description="Seconds until it starts; null: not known.")
    reason: str = Field(description="What it waits for.")
    held_by: str | None = Field(
        description="What keeps it from starting although a slot may be free: maintenance, "
        "draining, max_running_runs, max_runs_per_day or max_storage_bytes."
    )


class SweepDetail(SweepOut):
    """A sweep, and where its waiting runs stand."""

    queue: PlaceOut | None = Field(description="null: none of its runs waits for a slot.")


class PlacedRun(RunDetail):
    """A run, and where it stands."""

    queue: PlaceOut | None = Field(description="null: it does not wait for a slot.")
