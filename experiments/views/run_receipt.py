"""What other policies would have done to a run; worked out when asked for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.queries.receipts import what_if
from experiments.views.runs import find_run


@require_safe
def show_what_if(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show the answer of each policy: a part of the run's page, or a page without scripts."""
    run = find_run(request, run_id)
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_run_what_if.html" if is_fragment else "experiments/run_what_if.html"
    return render(request, name, {"run": run, "sweep": run.sweep, "rows": what_if(run)})
