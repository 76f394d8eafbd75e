"""REST: search across sweeps, runs and models; the box of the top bar asks here, too."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from experiments import clock
from experiments.api.auth import READ, person_of
from experiments.api.schemas import Number
from experiments.models import Run
from experiments.queries.json_forms import number_json
from experiments.queries.models import ModelRow
from experiments.queries.page import Page
from experiments.queries.search import Search, SweepHit
from experiments.queries.search_context import found_in_run, found_in_sweep
from experiments.search_terms import SearchTerms, read_search
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
    terms = read_search(q)
    if terms.is_empty:
        return {"sweeps": [], "runs": [], "models": [], "more": []}
    found = Search(person_of(request), terms, clock.now())
    sweeps = found.sweeps(limit=limit, is_counted=False)
    runs = found.runs(limit=limit, is_counted=False)
    models = found.models(limit=limit, is_counted=False)
    pages: dict[str, Page[Any]] = {"sweeps": sweeps, "runs": runs, "models": models}
    return {
        "sweeps": [_sweep_json(hit, terms) for hit in sweeps.items],
        "runs": [_run_json(run, terms) for run in runs.items],
        "models": [_model_json(row) for row in models.items],
        "more": [kind for kind, page in pages.items() if page.next_cursor],
    }


def _sweep_json(hit: SweepHit, terms: SearchTerms) -> dict[str, Any]:
    sweep = hit.sweep
    return {
        "id": sweep.public_id,
        "name": sweep.name,
        "experiment": sweep.experiment.name,
        "workspace": sweep.experiment.workspace.name,
        "owner": sweep.owner.get_username() if sweep.owner else None,
        "status": sweep.state,
        "end_reason": sweep.end_reason,
        "metric": sweep.metric_name,
        "best": number_json(sweep.best_value),
        "url": sweep.get_absolute_url(),
        "where": found_in_sweep(sweep, terms),
        "matching_runs": hit.matching,
    }


def _run_json(run: Run, terms: SearchTerms) -> dict[str, Any]:
    shown = found_in_run(run, terms)
    values = ", ".join(f"{name} {value}" for name, value in shown.texts()) if shown.is_asked else ""
    return {
        "id": run.public_id,
        "number": run.number,
        "sweep": run.sweep.public_id,
        "sweep_name": run.sweep.name,
        "workspace": run.sweep.experiment.workspace.name,
        "status": run.state,
        "end_reason": run.end_reason,
        "best": number_json(run.best_value),
        "url": run.get_absolute_url(),
        "where": shown.where or values,
    }


def _model_json(row: ModelRow) -> dict[str, Any]:
    return {
        "name": row.model.name,
        "workspace": row.model.workspace.name,
        "versions": row.versions,
        "url": row.model.get_absolute_url(),
    }
