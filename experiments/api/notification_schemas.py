"""Forms of webhooks and their deliveries, as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict, StringConstraints

from experiments.api.schemas import check_storable

Event = Literal[
    "sweep.finished",
    "sweep.failed",
    "sweep.breaker_tripped",
    "sweep.new_best",
    "sweep.stuck",
    "compute.lost",
]
Scope = Literal["mine", "starred", "all"]
Kind = Literal["webhook", "slack"]
_Name = Annotated[
    str, StringConstraints(min_length=1, max_length=120), AfterValidator(check_storable)
]
_Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class WebhookIn(Schema):
    """A new webhook; without a workspace it is the caller's own."""

    model_config = ConfigDict(extra="forbid")

    workspace: Annotated[str, StringConstraints(max_length=60)] = Field(
        "", description="Short name of a workspace that you own; empty: your own webhook."
    )
    kind: Kind = Field("webhook", description="`webhook` is signed JSON, `slack` a line of text.")
    name: _Name
    url: _Url = Field(description="https or http; it is never given back whole.")
    events: list[Event] = Field(min_length=1)
    sweeps: list[Scope] | None = Field(
        None, description="For which sweeps; of your own webhooks only."
    )


class WebhookChanges(Schema):
    """What is to be changed; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    name: _Name | None = None
    url: _Url | None = None
    events: list[Event] | None = Field(None, min_length=1)
    sweeps: list[Scope] | None = None
    on: bool | None = None


class WebhookOut(Schema):
    """A webhook, without its secret."""

    id: str
    workspace: str | None = Field(description="Short name; null: your own.")
    kind: Kind
    name: str
    address: str = Field(description="Host and last letters of its URL.")
    events: list[str]
    sweeps: list[str]
    on: bool
    off_reason: str = Field(description="Why the studio turned it off by itself.")
    created: datetime


class WebhookMade(WebhookOut):
    """A webhook that was just made, or got another secret."""

    secret: str = Field(description="Signs its messages; shown this once. Empty for Slack.")


class WebhookPage(Schema):
    """A page of webhooks."""

    items: list[WebhookOut]
    next_cursor: str | None


class AttemptOut(Schema):
    """One try at a delivery."""

    number: int
    began: datetime
    duration: float = Field(description="Seconds.")
    status: int | None = Field(description="Of the answer; null: there was none.")
    answer: str = Field(description="How the answer began.")
    error: str = Field(description="Empty: it was taken.")


class DeliveryOut(Schema):
    """One message on its way to a webhook."""

    id: int
    message: str = Field(description="What the receiver sees as webhook-id, however often.")
    event: str
    sweep: str | None
    status: Literal["waiting", "sent", "failed"]
    error: str
    created: datetime
    due: datetime | None = Field(description="When it is tried next; null: it is settled.")
    attempts: list[AttemptOut]


class DeliveryPage(Schema):
    """A page of the log of a webhook, newest first."""

    items: list[DeliveryOut]
    next_cursor: str | None
