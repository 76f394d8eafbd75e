"""REST: search across sweeps, runs and models; the box of the top bar asks here, too."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from experiments import clock
from experiments.api.auth import READ, person_of
from experiments.api.schemas import Number
from experiments.queries.search import Search
from experiments.queries.search_json import first_results
from experiments.search_terms import read_search
from experiments.states import RunState, SweepState

router = Router(tags=["Search"])


class FoundSweepOut(Schema):
    """A sweep that was found."""

    id: str
    name: str
    experiment: str
    workspace: str
    owner: str | None
    status: SweepState
    end_reason: str
    metric: str
    best: Number | None
    url: str
    where: str = Field(description="The text in which a word stands, where the name has it not.")
    matching_runs: int | None = Field(description="Runs that meet the conditions; null: no such.")


class FoundRunOut(Schema):
    """A run that was found."""

    id: str
    number: int
    sweep: str
    sweep_name: str
    workspace: str
    status: RunState
    end_reason: str
    best: Number | None
    url: str
    where: str = Field(description="What was asked for, or the text in which a word stands.")


class FoundModelOut(Schema):
    """A model that was found."""

    name: str
    workspace: str
    versions: int
    url: str


class SearchOut(Schema):
    """The first results of each kind; `more` names the kinds that have others."""

    sweeps: list[FoundSweepOut]
    runs: list[FoundRunOut]
    models: list[FoundModelOut]
    more: list[str]


@router.get("", auth=READ, response=SearchOut)
def search(
    request: HttpRequest,
    q: Annotated[
        str,
        Query(
            max_length=300,
            description="Words, places (`owner:ana`), and conditions on runs "
            "(`learning_rate<0.01 status:failed`); all of them must hold.",
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=100, description="Results of each kind.")] = 20,
) -> dict[str, Any]:
    """Look for sweeps, runs and models in all your workspaces."""
    return first_results(Search(person_of(request), read_search(q), clock.now()), limit)
