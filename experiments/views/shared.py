"""The pages behind a link to share: one sweep, read-only, for whoever has the address.

Every view here goes through `_guest`, which asks queries.shared what the link opens. No other view
knows these links: the API and the sockets take them for nobody.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from experiments import queries
from experiments.charts.lines import MOST_POINTS
from experiments.downloads import send_file
from experiments.models import Run
from experiments.queries.run_facts import planned_runs, progress_of
from experiments.queries.shared import Shared, find_shared
from experiments.queries.shared_runs import SORTS, offset_of, shared_runs
from experiments.run_files import STD_LOG
from experiments.services.share_links import note_use
from experiments.states import SWEEP_ACTIVE, SweepState
from experiments.storage.chosen import tree_of
from experiments.views.best import place_value, rivals_of
from experiments.views.charts import chart_of, etag_of
from experiments.views.runs import files_of
from experiments.views.shared_feed import public_event
from experiments.views.sweep import axes_card, metric_pickers
from experiments.views.sweep_head import ChartCard, page_data

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Shared, P], HttpResponseBase]

CHARTS: Final = frozenset(
    {"best_so_far", "metrics", "parallel_coordinates", "scatter_2d", "scatter_3d"}
)
TABS: Final = (
    ("shared", "Overview"),
    ("shared_runs", "Runs"),
    ("shared_charts", "Charts"),
    ("shared_best", "Best model"),
)
_OUTPUTS: Final = "outputs/"
_EVENTS: Final = 2000
_XS: Final = ("interval", "step", "time")


def _guest(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Open a view to whoever has a link that is alive; everybody else is told that it is not."""

    @require_safe
    @wraps(view)
    def opened(
        request: HttpRequest, /, token: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        shared = find_shared(token)
        try:
            if shared is None:
                raise Http404
            note_use(shared.link)
            response = view(request, shared, *args, **kwargs)
        except Http404:
            is_alive = shared is not None
            gone = "experiments/shared_gone.html"
            response = render(request, gone, {"is_alive": is_alive}, status=404)
        # The address is the key: no search engine, no other site and no shared cache gets it.
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    return login_not_required(opened)


@_guest
def overview(request: HttpRequest, shared: Shared) -> HttpResponseBase:
    """Show how far the sweep is, its best run, and how the metric grew."""
    sweep = shared.sweep
    cards = [
        _card(shared, "best_so_far", "Best so far", "one dot per run, in order of start"),
        _card(
            shared,
            "metrics",
            f"{sweep.metric_name} by interval",
            "one line per run",
            has_legend=True,
            has_inspector=True,
        ),
    ]
    return _render(request, shared, "shared", "shared_overview", {"cards": cards})


@_guest
def runs(request: HttpRequest, shared: Shared) -> HttpResponseBase:
    """Show the runs, fifty a page, ordered by a column; `?at=` shows the page with a run."""
    sweep = shared.sweep
    names = list(sweep.spec["search_space"])
    sort = request.GET.get("sort", "")
    sort = sort if sort in (*SORTS, *names) else "number"
    is_down = request.GET.get("dir") == "desc"
    at, offset = _number(request, "at"), _number(request, "offset") or 0
    if at is not None:
        sort, is_down, offset = "number", False, offset_of(sweep, at)
    page = shared_runs(sweep, sort=sort, is_down=is_down, offset=offset)

    def url(**changes: Any) -> str:
        asked = {"sort": sort, "dir": "desc" if is_down else "", "offset": offset, **changes}
        return "?" + urlencode({key: value for key, value in asked.items() if value})

    def head(key: str) -> dict[str, str]:
        is_current = key == sort
        down = not is_down if is_current else key == "best" and sweep.goal == "maximize"
        aria = ("descending" if is_down else "ascending") if is_current else ""
        return {"url": url(sort=key, dir="desc" if down else "", offset=0), "aria": aria}

    context = {
        "rows": page,
        "at": at,
        "heads": {key: head(key) for key in SORTS},
        "params": [(name, head(name)) for name in names],
        "previous_url": url(offset=max(0, offset - len(page.items))) if offset else "",
        "next_url": url(offset=page.next_cursor) if page.next_cursor else "",
    }
    return _render(request, shared, "shared_runs", "shared_runs", context)


@_guest
def charts(request: HttpRequest, shared: Shared) -> HttpResponseBase:
    """Show the charts."""
    sweep = shared.sweep
    context = {
        "parallel": _card(
            shared,
            "parallel_coordinates",
            "Parallel coordinates",
            "drag on an axis to narrow it, drag a name to move the axis",
            has_scale=True,
            has_inspector=True,
        ),
        "metrics": _card(
            shared,
            "metrics",
            "Metrics",
            "one line per run",
            pickers=metric_pickers(sweep),
            has_legend=True,
        ),
        "pairs": [
            _card(shared, name, title, sub, pickers=axes_card(sweep, name, title, sub).pickers)
            for name, title, sub in (
                ("scatter_2d", "2-D scatter", ""),
                ("scatter_3d", "3-D scatter", "drag to turn"),
            )
        ],
        "best_so_far": _card(
            shared, "best_so_far", "Best so far", "one dot per run, in order of start"
        ),
    }
    return _render(request, shared, "shared_charts", "shared_charts", context)


@_guest
def chart(request: HttpRequest, shared: Shared, name: str) -> HttpResponseBase:
    """Return the figure of a chart."""
    return chart_of(request, shared.sweep, name, CHARTS)


@_guest
def curves(request: HttpRequest, shared: Shared) -> HttpResponseBase:
    """Return one metric of all runs as the chart of metrics draws it, packed."""
    sweep = shared.sweep
    metric = request.GET.get("metric") or sweep.metric_name
    x = request.GET.get("x") or "interval"
    if metric != sweep.metric_name and metric not in queries.metric_names(sweep):
        raise Http404("No run has logged this metric.")
    if x not in _XS:
        raise Http404("There is no such axis.")
    etag = etag_of(sweep, "curves", {key: str(value) for key, value in request.GET.items()})
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    window = queries.Window(
        x=x,
        low=_bound(request, "low", -math.inf),
        high=_bound(request, "high", math.inf),
        runs=(),
        points=MOST_POINTS,
    )
    response = JsonResponse(queries.packed_curves(sweep, metric, window))
    response["ETag"] = etag
    return response


@_guest
def best(request: HttpRequest, shared: Shared) -> HttpResponseBase:
    """Show the winner: its hyperparameters and, where the link allows it, its outputs."""
    model = queries.best_model(shared.sweep)
    context: dict[str, Any] = {"model": model}
    if model is not None:
        context |= {
            "run": model.run,
            "placed": [place_value(value) for value in model.values],
            "rivals": rivals_of(model),
        }
        if shared.link.with_files:
            files = (f for f in files_of(model.run) if f.path.startswith(_OUTPUTS))
            context["files"] = [(f, f.path.removeprefix(_OUTPUTS)) for f in files]
    return _render(request, shared, "shared_best", "shared_best", context)


@_guest
def events(request: HttpRequest, shared: Shared) -> HttpResponseBase:
    """Return what changed after a cursor, without anything that the pages do not show."""
    cursor, found = queries.events_after(
        shared.sweep, _number(request, "after") or 0, limit=_EVENTS
    )
    told = (public_event(event) for event in found)
    return JsonResponse({"cursor": cursor, "events": [event for event in told if event]})


@_guest
def log(request: HttpRequest, shared: Shared, number: int) -> HttpResponseBase:
    """Send what a run has printed, where the link allows it."""
    run = Run.objects.filter(sweep=shared.sweep, number=number).first()
    if not shared.link.with_reasons or run is None:
        raise Http404("This link shows no logs.")
    return _send(request, run, STD_LOG, f"run-{number}.log")


@_guest
def file(request: HttpRequest, shared: Shared, path: str) -> HttpResponseBase:
    """Send one of the outputs of the best run, where the link allows it."""
    run = shared.sweep.best_run
    if not shared.link.with_files or run is None:
        raise Http404("This link shows no files.")
    return _send(request, run, f"{_OUTPUTS}{path}", path.rpartition("/")[2])


def _send(request: HttpRequest, run: Run, path: str, name: str) -> HttpResponseBase:
    if not run.directory:
        raise Http404("The run has no files.")
    try:
        return send_file(request, tree_of(run.directory).find(path), name)
    except FileNotFoundError as error:
        raise Http404(str(error)) from error


def _card(shared: Shared, name: str, title: str, sub: str, **more: Any) -> ChartCard:
    url = reverse("shared_chart", args=[shared.link.token, name])
    return ChartCard(name, title, sub, url, **more)


def _render(
    request: HttpRequest, shared: Shared, tab: str, name: str, own: dict[str, Any]
) -> HttpResponse:
    sweep, link = shared.sweep, shared.link
    now = timezone.now()
    progress = progress_of(sweep, now)
    total = planned_runs(sweep)
    count = sum(n for state, n in progress.counts.items() if state != "stopped_early")
    context = {
        "link": link,
        "sweep": sweep,
        "tab": tab,
        "tabs": [(key, label, reverse(key, args=[link.token])) for key, label in TABS],
        "progress": progress,
        "total": total,
        "bar_total": max(total, count),
        "digits": progress.digits,
        "is_active": sweep.state in SWEEP_ACTIVE,
        # How it ended badly may quote a script; how it ended well says numbers.
        "reason": sweep.reason if _may_tell(shared) else "",
        "runs_url": reverse("shared_runs", args=[link.token]),
        "is_member": queries.sweeps_for(request.user).filter(pk=sweep.pk).exists(),
        "page": _page(shared, page_data(sweep, progress)),
        **own,
    }
    is_fragment = "X-Fragment" in request.headers
    template = "experiments/_shared_parts.html" if is_fragment else f"experiments/{name}.html"
    return render(request, template, {**context, "body": f"experiments/_{name}.html"})


def _page(shared: Shared, page: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON block of the pages, whose addresses are those of the link alone."""
    sweep, token = shared.sweep, shared.link.token
    best = sweep.best_run
    told = {key: value for key, value in page["sweep"].items() if key not in ("id", "best_run")}
    told["best_run"] = {"number": best.number, "value": sweep.best_value} if best else None
    urls = {
        # No socket: these pages ask every few seconds.
        "socket": "",
        "events": reverse("shared_events", args=[token]),
        "curves": reverse("shared_curves", args=[token]),
        "run": f"{reverse('shared_runs', args=[token])}?at=NUMBER",
    }
    return {**page, "sweep": told, "urls": urls}


def _may_tell(shared: Shared) -> bool:
    return shared.link.with_reasons or shared.sweep.state == SweepState.COMPLETED


def _bound(request: HttpRequest, name: str, default: float) -> float:
    try:
        value = float(request.GET.get(name, default))
    except ValueError:
        return default
    return default if math.isnan(value) else value


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None
