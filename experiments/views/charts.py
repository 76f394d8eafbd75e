"""Figures as JSON: what the charts of a sweep's pages fetch, again only when something changed."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from experiments import queries
from experiments.charts import CHARTS, load_chart
from experiments.charts.base import Chart, SweepView
from experiments.finished import finished_json
from experiments.models import Sweep
from experiments.problems import Problem, ProblemsError
from experiments.queries.figures import figure_json, shows_limits
from experiments.readings import BEST, Reading, read_reading
from experiments.states import SWEEP_ACTIVE
from experiments.views.sweep_head import find_sweep

_SECONDS_OF_BARS: Final = 5
_PROBLEM_TYPE = "application/problem+json"


@require_safe
def chart(request: HttpRequest, sweep_id: str, name: str) -> HttpResponseBase:
    """Return the figure of a chart of a sweep that the person may see."""
    sweep = find_sweep(request, sweep_id, is_bare=True)
    return chart_of(request, sweep, name, CHARTS.keys())


def chart_of(
    request: HttpRequest, sweep: Sweep, name: str, allowed: Collection[str]
) -> HttpResponseBase:
    """Return the figure of an allowed chart; 304 while neither sweep nor options have changed.

    With `rows=0` the table behind it comes without its rows: most of a figure of many runs.
    """
    if name not in allowed:
        raise Http404
    options = {str(key): str(value) for key, value in request.GET.items()}
    drawn = load_chart(name)
    now = timezone.now()
    question = [name, sorted(options.items())]
    has_rows = options.pop("rows", "") != "0"
    try:
        reading = read_reading(options.pop("reading", ""), options.pop("step", ""))
        return finished_json(
            request,
            sweep,
            question,
            lambda: _figure(sweep, drawn, options, reading, now, has_rows=has_rows),
            tick=_tick(sweep, drawn, now),
        )
    except ProblemsError as error:
        return bad_request(error.problems)


def _figure(
    sweep: Sweep,
    drawn: Chart,
    options: dict[str, str],
    reading: Reading,
    now: datetime,
    *,
    has_rows: bool,
) -> dict[str, Any]:
    """Return the figure; raises ProblemsError for options that the chart does not have."""
    view = queries.chart_view(
        sweep,
        with_limits=drawn.needs_limits and shows_limits(sweep, options),
        with_model=drawn.needs_model,
        with_relations=drawn.needs_relations,
        slots_at=now if drawn.needs_slots else None,
        # Bars of a timeline are of runs, whichever value they had.
        reading=BEST if drawn.needs_slots else reading,
    )
    names = queries.metric_names(sweep) if drawn.needs_limits else []
    problems = _check(drawn, view, options, names)
    if problems:
        raise ProblemsError(problems)
    figure = figure_json(sweep, drawn, view, options, names)
    if not has_rows:
        figure["meta"]["table"]["rows"] = []
    return figure


def _check(
    drawn: Chart, view: SweepView, options: dict[str, str], metrics: list[str]
) -> list[Problem]:
    specs = {spec.name: spec for spec in drawn.options}
    problems = []
    for name, value in options.items():
        spec = specs.get(name)
        if spec is None:
            known = ", ".join(specs) or "none"
            problems.append(Problem(name, f"{drawn.name} has no option {name!r}; it has {known}."))
            continue
        allowed = [key for key, _ in drawn.choices_of(spec, view)]
        if spec.kind == "metric":
            allowed = [*dict.fromkeys([*allowed, *metrics])]
        if value and value not in allowed:
            text = f"{name} is {value!r}; use one of {', '.join(allowed)}."
            problems.append(Problem(name, text))
    return problems


def bad_request(problems: list[Problem]) -> HttpResponse:
    """Return every problem of a question, as REST does."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": problems[0].message,
        "errors": [{"path": p.path, "message": p.message} for p in problems],
    }
    return HttpResponse(json.dumps(document), status=400, content_type=_PROBLEM_TYPE)


def _tick(sweep: Sweep, drawn: Chart, now: datetime) -> int:
    """Return what else a figure depends on: bars of live runs grow without any change of a row."""
    if not drawn.needs_slots or sweep.state not in SWEEP_ACTIVE:
        return 0
    return int(now.timestamp()) // _SECONDS_OF_BARS


def etag_of(sweep: Sweep, name: str, options: dict[str, str]) -> str:
    """Return the mark of an answer: another one with every change of the sweep or the question."""
    key = json.dumps([name, sorted(options.items())])
    return f'W/"{sweep.cursor}-{sha256(key.encode()).hexdigest()[:16]}"'
