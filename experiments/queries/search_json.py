"""The first results of a search as JSON: for REST and for the box of the top bar."""

from __future__ import annotations

from typing import Any

from experiments.models import Run
from experiments.queries.json_forms import number_json
from experiments.queries.models import ModelRow
from experiments.queries.page import Page
from experiments.queries.search import Search, SweepHit
from experiments.queries.search_context import found_in_run, found_in_sweep
from experiments.search_terms import SearchTerms


def first_results(search: Search, limit: int) -> dict[str, Any]:
    """Return up to `limit` results of each kind; `more` names the kinds that have others.

    Raises:
        ProblemsError: the conditions cannot be read.
    """
    terms = search.terms
    if terms.is_empty:
        return {"sweeps": [], "runs": [], "models": [], "more": []}
    sweeps = search.sweeps(limit=limit, is_counted=False)
    runs = search.runs(limit=limit, is_counted=False)
    models = search.models(limit=limit, is_counted=False)
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
