"""REST: the caller's own API tokens; they need the scope admin, as all that lets people in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Field, Path, Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, StringConstraints

from experiments import clock
from experiments.api.auth import ADMIN, caller_of, person_of
from experiments.api.paging import Cursor, Limit, newest
from experiments.api.schemas import check_storable
from experiments.queries.accounts import token_json, tokens_for
from experiments.services.access import revoke_api_token
from experiments.services.api_tokens import MAX_NAME, MOST_DAYS, create_token

router = Router(tags=["Tokens"])

TokenId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_Name = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(check_storable)
]
TokenScope = Literal["read", "write", "admin"]


class TokenIn(Schema):
    """A new token of the caller."""

    model_config = ConfigDict(extra="forbid")

    name: _Name = Field(description="What will use it.")
    scope: TokenScope = "write"
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = Field(
        90, description="How long it lives; null: until it is revoked."
    )


class TokenOut(Schema):
    """A token without its secret."""

    id: int
    name: str
    scope: TokenScope
    created: datetime
    last_used: datetime | None
    expires: datetime | None = Field(description="null: never.")
    expired: bool


class TokenMade(TokenOut):
    """A token that was just made."""

    token: str = Field(description="What programs send; in this answer and nowhere else.")


class TokenPage(Schema):
    """A page of tokens, newest first."""

    items: list[TokenOut]
    next_cursor: str | None


@router.get("", auth=ADMIN, response=TokenPage)
def list_tokens(request: HttpRequest, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    """List your own tokens."""
    page, more = newest(tokens_for(person_of(request)), cursor, limit)
    return {"items": [token_json(token) for token in page], "next_cursor": more}


@router.post("", auth=ADMIN, response={201: TokenMade}, openapi_extra={"x-errors": [409]})
def make_token(request: HttpRequest, body: TokenIn) -> Status[Any]:
    """Make a token of your own. One that is made with a token ends with that one or before."""
    caller = caller_of(request)
    token, plain = create_token(
        person_of(request),
        name=body.name,
        scope=body.scope,
        expires_at=None if body.days is None else clock.now() + timedelta(days=body.days),
        at_most=caller.token.expires_at if caller.token is not None else None,
    )
    return Status(201, {**token_json(token), "token": plain})


@router.delete("/{token_id}", auth=ADMIN, response={204: None})
def revoke_token(request: HttpRequest, token_id: TokenId) -> Status[None]:
    """Make one of your tokens useless at once."""
    user = person_of(request)
    revoke_api_token(tokens_for(user).select_related("user").get(pk=token_id), by=user)
    return Status(204, None)
