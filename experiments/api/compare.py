"""REST: several sweeps side by side, as numbers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from ninja import Field, Query, Router, Schema

from experiments import clock
from experiments.api.auth import READ, person_of
from experiments.api.schemas import BestRun, Number
from experiments.charts.comparison import MOST_SWEEPS
from experiments.problems import Problem, ProblemsError
from experiments.queries.compared import asked_sweeps, refusal_of, whole_spec
from experiments.queries.comparison import Comparison, SweepFigures
from experiments.queries.json_forms import best_run_json, number_json, numbers_json
from experiments.spec_differences import compare_specs
from experiments.states import SweepState

router = Router(tags=["Sweeps"])


class LeadsOut(Schema):
    """Every new best of a sweep, in the order in which they were reported; lists of one length."""

    numbers: list[int] = Field(description="Numbers of the runs.")
    values: list[Number]
    seconds: list[float] = Field(description="After the start of the sweep.")
    compute: list[float] = Field(description="Seconds that runs had slots until then.")


class ComparedOut(Schema):
    """The key figures of one sweep; times in seconds."""

    id: str
    name: str
    status: SweepState
    runs: int
    failed: int
    stopped_early: int
    with_value: int = Field(description="Runs with a value of the primary metric.")
    best_run: BestRun | None
    is_best: bool = Field(description="No other of these sweeps has a better value.")
    median: Number | None
    runs_to_best: int | None = Field(description="In the order of the numbers of the runs.")
    seconds_to_best: float | None
    compute_to_best: float | None
    seconds: float | None = Field(description="Since its start, until its end or now.")
    compute: float = Field(description="Seconds that its runs had slots.")
    saved: float = Field(description="Estimate of what stopping early saved.")
    leads: LeadsOut


class DifferenceOut(Schema):
    """A setting that is not the same everywhere; one text for each sweep, in their order."""

    setting: str
    values: list[str] = Field(description="As in a specification file; empty: not set.")


class ComparisonOut(Schema):
    """Sweeps of one primary metric and goal."""

    metric: str
    goal: Literal["maximize", "minimize"]
    sweeps: list[ComparedOut]
    differences: list[DifferenceOut]


@router.get("", auth=READ, response=ComparisonOut, openapi_extra={"x-errors": [404]})
def compare_sweeps(
    request: HttpRequest,
    sweeps: Annotated[
        str, Query(max_length=1000, description="Two to eight ids of sweeps with commas between.")
    ] = "",
) -> dict[str, Any]:
    """Compare sweeps of one primary metric and goal: key figures, new bests, what differs."""
    asked = asked_sweeps(person_of(request), sweeps)
    if asked.missing:
        raise Http404(f"There is no sweep {asked.missing[0]}.")
    refusal = refusal_of(asked)
    if not refusal and len(asked.placed) < 2:
        refusal = f"sweeps names {len(asked.placed)} of them; name 2 to {MOST_SWEEPS}, as ID,ID."
    if refusal:
        raise ProblemsError([Problem("sweeps", refusal)])
    figures = Comparison(asked.placed, clock.now()).figures()
    rows = compare_specs([whole_spec(one.sweep) for one in figures])
    first = asked.placed[0].sweep
    return {
        "metric": first.metric_name,
        "goal": first.goal,
        "sweeps": [_figures_json(one) for one in figures],
        "differences": [
            {"setting": row.key, "values": list(row.cells)} for row in rows if not row.is_same
        ],
    }


def _figures_json(one: SweepFigures) -> dict[str, Any]:
    sweep, progress, leads = one.sweep, one.progress, one.leads
    return {
        "id": sweep.public_id,
        "name": sweep.name,
        "status": sweep.state,
        "runs": one.runs,
        "failed": one.failed,
        "stopped_early": progress.counts["stopped_early"],
        "with_value": one.with_value,
        "best_run": best_run_json(sweep),
        "is_best": one.is_best,
        "median": number_json(one.median),
        "runs_to_best": one.runs_to_best,
        "seconds_to_best": one.time_to_best,
        "compute_to_best": one.compute_to_best,
        "seconds": progress.elapsed,
        "compute": progress.spent,
        "saved": progress.saved,
        "leads": {
            "numbers": leads.numbers.tolist(),
            "values": numbers_json(leads.values.tolist()),
            "seconds": leads.seconds.tolist(),
            "compute": leads.compute.tolist(),
        },
    }
