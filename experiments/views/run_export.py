"""The file that the table of runs offers: what its address says, in the format that is asked for.

`experiments.exports` makes it, as for REST and the command line.
"""

from __future__ import annotations

from typing import Final, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from experiments.exports import EXPORTS, CannotExportError, Export, FormatName, What
from experiments.exports import export_response as send_export
from experiments.models import Sweep
from experiments.queries.readings import values_read
from experiments.queries.run_table import columns_of
from experiments.table_files import has_parquet
from experiments.views.readings import reading_of
from experiments.views.run_table_state import read_numbers, read_state

__all__ = ["EXPORTS", "export_response", "has_parquet"]

_WHATS: Final = ("runs", "metrics")


def export_response(request: HttpRequest, sweep: Sweep, format_name: str) -> HttpResponseBase:
    """Return every run that the filters let through as a file, or those in `runs=3,8`.

    `what=metrics` adds all reports in JSON, and has them alone in CSV and Parquet.
    """
    reading, wrong = reading_of(request.GET)
    if wrong:
        return _plain(wrong, 400)
    state = read_state(request.GET, columns_of(sweep, reading=reading))
    asked = request.GET.get("runs")
    numbers = None if asked is None else read_numbers(asked)
    if asked is not None and numbers is None:
        return _plain(f"runs is {asked[:60]!r}; use numbers of runs with commas, as in 3,8.", 400)
    what = request.GET.get("what", "runs")
    if what not in _WHATS:
        return _plain(f"what is {what[:60]!r}; use {' or '.join(_WHATS)}.", 400)
    if state.errors:
        return _plain("\n".join(state.errors), 400)
    read = None if reading.is_best else values_read(sweep, reading)
    wanted = Export(
        sweep=sweep,
        choice=state.choice(numbers, read),
        format=cast(FormatName, format_name),
        what=cast(What, what),
        reading=reading,
    )
    try:
        return send_export(request, wanted)
    except CannotExportError as error:
        return _plain(str(error), 501)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
