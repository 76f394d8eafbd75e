"""REST: a sweep's runs and reports as a file, as the table of runs offers it."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Path, Query, Router

from experiments.api.auth import READ, sweep_of
from experiments.exports import CannotExportError, Export, FormatName, What, export_response
from experiments.problems import Problem, ProblemsError
from experiments.queries.readings import values_read
from experiments.queries.run_table import RunChoice, columns_of
from experiments.readings import read_reading
from experiments.run_filter import parse_filter
from experiments.run_filter_terms import MAX_LENGTH

router = Router(tags=["Sweeps"])

_FILES: Final = {
    "responses": {
        200: {
            "description": "The file, made while it is sent.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object"}},
                "application/vnd.apache.parquet": {
                    "schema": {"type": "string", "format": "binary"}
                },
            },
        }
    }
}


@router.get("/{sweep_id}/export/{what}", auth=READ, openapi_extra=_FILES)
def export_runs(
    request: HttpRequest,
    sweep_id: str,
    what: Annotated[
        What, Path(description="runs: a row for each run; metrics: a row for each report.")
    ],
    format: Annotated[  # noqa: A002 - the word of the address
        FormatName, Query(description="parquet: only where pyarrow is installed.")
    ] = "csv",
    filter: Annotated[  # noqa: A002 - as in the list of runs
        str, Query(max_length=MAX_LENGTH, description="Conditions, as in the list of runs.")
    ] = "",
    reading: Annotated[
        str, Query(max_length=60, description="Which value of a run counts: best, last, step:20.")
    ] = "best",
) -> HttpResponseBase:
    """Download the runs of a sweep, or every report of every metric.

    `runs` is a row for each run with all columns, `metrics` a row for each report. As JSON they
    are one document, `metrics` with all reports: `POST /imports` reads it back.
    """
    sweep = sweep_of(request, sweep_id)
    asked = read_reading(reading)
    conditions = parse_filter(filter, columns_of(sweep)) if filter else ()
    choice = RunChoice(
        conditions=conditions, read=None if asked.is_best else values_read(sweep, asked)
    )
    try:
        return export_response(request, Export(sweep, choice, format, what, asked))
    except CannotExportError as error:
        raise ProblemsError([Problem("format", str(error))]) from error
