"""Forms of what the REST API takes and gives about notes, tags, stars and links to share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from experiments.api.schemas import MarkName, MarkText
from experiments.services.notes import MAX_LENGTH
from experiments.services.share_links import DAYS, MAX_NAME


class NotesOut(Schema):
    """The notes on a sweep or a run; version 0: nobody has written any."""

    version: int
    text: str = Field(description="Markdown.")
    html: str = Field(description="As the pages show it: without HTML of people.")
    author: str | None = Field(description="Who wrote this version.")
    changed: datetime | None


class NotesIn(Schema):
    """The next version of the notes."""

    model_config = ConfigDict(extra="forbid")

    text: MarkText = Field(description=f"Markdown, at most {MAX_LENGTH} characters.")
    version: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] | None = Field(
        None, description="The version that was edited; or send it as If-Match."
    )


class NoteVersionOut(Schema):
    """One version of the notes."""

    version: int
    text: str
    author: str
    changed: datetime


class NoteVersions(Schema):
    """Versions of the notes, newest first."""

    items: list[NoteVersionOut]
    next_cursor: str | None


class SweepTags(Schema):
    """The tags of a sweep."""

    tags: dict[str, str | None]


class SweepTagsIn(Schema):
    """Changes of tags; all of them are made, or none."""

    model_config = ConfigDict(extra="forbid")

    tags: dict[MarkName, MarkText | None] = Field({}, description="Merged into the others.")
    remove_tags: list[str] = Field([], description="Names; unknown ones are passed over.")


class StarOut(Schema):
    """Whether you starred it."""

    starred: bool


class ShareLinkIn(Schema):
    """A link to make."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(7, ge=1, le=max(DAYS), strict=True, description="How long it lives.")
    name: MarkText = Field("", max_length=MAX_NAME, description="Whom it is for.")
    with_reasons: bool = Field(
        False, description="Also why runs ended, which may quote their output, and their logs."
    )
    with_files: bool = Field(False, description="Also the outputs of the best run.")


class ShareLinkOut(Schema):
    """A link that shows one sweep, read-only, to whoever has it."""

    id: int
    url: str | None = Field(description="Its address while it lives.")
    name: str
    state: Literal["live", "expired", "revoked"]
    with_reasons: bool
    with_files: bool
    created_by: str
    created: datetime
    expires: datetime
    used: datetime | None = Field(description="When it was opened last, to the minute.")
    revoked: datetime | None
    revoked_by: str | None


class ShareLinks(Schema):
    """The links to a sweep, newest first."""

    items: list[ShareLinkOut]
    next_cursor: str | None
