"""The pages of one sweep: overview, runs, charts, configuration; and canceling it."""

from __future__ import annotations

from functools import partial
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from experiments import queries
from experiments.charts import load_chart
from experiments.charts.base import METRIC
from experiments.forms.sweep_around import takes_policy
from experiments.insight_words import edge_words
from experiments.models import Event, Sweep
from experiments.policies import make_policy
from experiments.queries.insights import insights_of
from experiments.queries.log import newest_lines
from experiments.queries.notes import notes_of
from experiments.queries.run_facts import live_runs
from experiments.samplers import load_sampler
from experiments.services.limits import can_change_limits
from experiments.services.sweeps import cancel_sweep
from experiments.spec import SweepSpec
from experiments.spec_export import EXPORT_FORMATS, export_spec
from experiments.states import RUN_TERMINAL
from experiments.views.model_panel import model_panel, relation_card
from experiments.views.parts import once
from experiments.views.run_export import EXPORTS, export_response
from experiments.views.run_table import table_context
from experiments.views.sweep_failures import failure_rows
from experiments.views.sweep_head import (
    ChartCard,
    Picker,
    changer_of,
    chart_url,
    find_sweep,
    render_sweep,
)

_FEED_LINES: Final = 8
_FAILURES: Final = 3
# Most lines of the log are steps on the way: this many are looked through for news.
_FEED_SEARCHED: Final = 100


@require_safe
def overview(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show the best run, the running ones, and how the metric grew."""
    sweep = find_sweep(request, sweep_id)
    insights = once(lambda: insights_of(sweep))
    context = {
        "live_runs": once(lambda: live_runs(sweep)),
        "edges": once(lambda: [edge_words(e, insights().completed) for e in insights().edges]),
        "failures": once(lambda: failure_rows(sweep, insights(), _FAILURES)),
        "more_failures": once(lambda: len(insights().failures) - _FAILURES),
        "lineage": once(lambda: queries.lineage_of(sweep)),
        "better": once(lambda: queries.better_earlier_run(sweep)),
        "feed": once(lambda: _news_of(sweep)),
        "notes": once(lambda: notes_of(sweep)),
        "notes_url": reverse("sweep_notes", args=[sweep.public_id]),
        "cards": [
            ChartCard(
                "best_so_far",
                "Best so far",
                "one dot per run, in order of start",
                chart_url(sweep, "best_so_far"),
            ),
            ChartCard(
                "metrics",
                f"{sweep.metric_name} by interval",
                "one line per run",
                chart_url(sweep, "metrics"),
                has_legend=True,
                has_inspector=True,
            ),
        ],
        "importance": relation_card(sweep, "importance"),
    }
    return render_sweep(request, sweep, "sweep", "sweep_overview", context)


@require_safe
def runs(request: HttpRequest, sweep_id: str) -> HttpResponseBase:
    """Show the runs as a table; `?format=csv`, `json` or `parquet` gives all rows of it."""
    sweep = find_sweep(request, sweep_id)
    format_name = request.GET.get("format", "")
    if format_name in EXPORTS:
        return export_response(request, sweep, format_name)
    context = partial(table_context, request, sweep)
    return render_sweep(request, sweep, "sweep_runs", "sweep_runs", context)


@require_safe
def charts(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show all charts beside the list of runs."""
    sweep = find_sweep(request, sweep_id)
    context = {
        "parallel": ChartCard(
            "parallel_coordinates",
            "Parallel coordinates",
            "drag on an axis to narrow it, drag a name to move the axis",
            chart_url(sweep, "parallel_coordinates"),
            has_scale=True,
            has_inspector=True,
        ),
        "metrics": ChartCard(
            "metrics",
            "Metrics",
            "one line per run",
            chart_url(sweep, "metrics"),
            pickers=metric_pickers(sweep),
            has_legend=True,
        ),
        "pairs": [
            axes_card(sweep, "scatter_2d", "2-D scatter", ""),
            axes_card(sweep, "scatter_3d", "3-D scatter", "drag to turn"),
        ],
        "best_so_far": ChartCard(
            "best_so_far",
            "Best so far",
            "one dot per run, in order of start",
            chart_url(sweep, "best_so_far"),
        ),
        "relations": [relation_card(sweep, name) for name in ("importance", "correlation")],
        "matrix": relation_card(sweep, "matrix"),
        "model": model_panel(sweep),
        "can_delay": takes_policy(sweep),
    }
    return render_sweep(request, sweep, "sweep_charts", "sweep_charts", context)


@require_safe
def configuration(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show the specification: what it means, and its exact text."""
    sweep = find_sweep(request, sweep_id)
    spec = SweepSpec.from_stored(sweep.spec)
    policy = make_policy(spec.early_termination_config)
    context = {
        "spec": spec,
        "space": [
            (name, text, spec.space.expressions[name].describe())
            for name, text in spec.search_space.items()
        ],
        "sampler": load_sampler(spec.sampler_name).label,
        "sampler_options": spec.sampler_options,
        "policy": policy.summary(),
        "exports": [export_spec(spec, name) for name in EXPORT_FORMATS],
        "can_change_limits": can_change_limits(sweep),
        "lineage": queries.lineage_of(sweep),
        "better": queries.better_earlier_run(sweep),
        "versions": sweep.versions.select_related("author").order_by("-number"),
    }
    return render_sweep(request, sweep, "sweep_configuration", "sweep_configuration", context)


@require_POST
def cancel(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Cancel the sweep, for people who may change it."""
    sweep = find_sweep(request, sweep_id)
    if not cancel_sweep(sweep, user=changer_of(request, sweep)):
        messages.info(request, "The sweep had ended already.")
    return redirect(sweep)


def _news_of(sweep: Sweep) -> list[queries.LogLine]:
    recent = newest_lines(sweep, _FEED_SEARCHED)
    return [line for line in recent if _is_news(line)][:_FEED_LINES]


def _is_news(line: queries.LogLine) -> bool:
    """Tell whether a line is worth a place on the overview: how runs ended, not how they began."""
    if line.kind == Event.Kind.RUN:
        return line.payload.get("state") in RUN_TERMINAL
    return line.kind != Event.Kind.DECISION


def axes_card(sweep: Sweep, name: str, title: str, sub: str) -> ChartCard:
    """Return the card of a chart whose axes can be picked."""
    names = [*((key, key) for key in sweep.spec["search_space"]), (METRIC, sweep.metric_name)]
    pickers = [
        Picker(
            spec.name,
            spec.name,
            names,
            names[min(int(spec.default), len(names) - 1)][0],
        )
        for spec in load_chart(name).options
    ]
    return ChartCard(name, title, sub, chart_url(sweep, name), pickers=pickers)


def metric_pickers(sweep: Sweep) -> list[Picker]:
    """Return what can be picked on the chart of metrics."""
    names = [sweep.metric_name]
    names += [name for name in queries.metric_names(sweep) if name != sweep.metric_name]
    pickers = [
        Picker("metric", "Metric", [(n, n) for n in names], sweep.metric_name, is_quiet=True)
    ]
    for spec in load_chart("metrics").options:
        if spec.kind == "choice":
            choices = list(spec.choices)
            pickers.append(Picker(spec.name, spec.label, choices, spec.default, is_quiet=True))
    return pickers
