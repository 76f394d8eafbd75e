"""Two to eight sweeps side by side: figures, curves, best configurations, specifications."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from experiments import clock
from experiments.charts import COMPARISONS, load_comparison
from experiments.charts.comparison import MOST_SWEEPS, distinct_names
from experiments.formats import metric_digits
from experiments.models import Sweep
from experiments.queries.compared import (
    Asked,
    Placed,
    asked_sweeps,
    comparable_sweeps,
    refusal_of,
    whole_spec,
)
from experiments.queries.comparison import Comparison, SweepFigures
from experiments.queries.json_forms import in_declared_order
from experiments.spec_command import format_value
from experiments.spec_differences import compare_specs
from experiments.views.parts import once
from experiments.views.sweep_head import ChartCard, Picker

# Lines of live sweeps grow with the time alone; figures of the same seconds are the same.
_SECONDS_OF_LINES: Final = 10
_NOTHING: Final = object()
_TITLES: Final = {
    "compare_best": ("Best so far", "a mark is a new best"),
    "compare_values": ("All runs", "share of the runs with at most this value"),
    "compare_coverage": (
        "Where each sweep looked",
        "one tick per run, farther from the background is better; the triangle is the best run",
    ),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One sweep as the page shows it; `label` tells sweeps of one name apart."""

    placed: Placed
    label: str
    remove_url: str
    measure: Callable[[], Sequence[SweepFigures]]

    @property
    def sweep(self) -> Sweep:
        """Return the sweep itself."""
        return self.placed.sweep

    @property
    def place(self) -> int:
        """Return its place, from 0."""
        return self.placed.place

    @property
    def figures(self) -> SweepFigures:
        """Return its key figures: those of all sweeps are made when the first are asked for."""
        return next(one for one in self.measure() if one.place == self.place)

    @property
    def to_best(self) -> float | None:
        """Return how far its best value is from the best of all; None for that one."""
        top = next((one.sweep.best_value for one in self.measure() if one.is_best), None)
        value = self.sweep.best_value
        return None if top is None or value is None or self.figures.is_best else value - top


@dataclass(frozen=True, slots=True)
class BestRow:
    """One hyperparameter of the best runs: (value, exact, dimmed, being the winner's) a sweep."""

    name: str
    cells: list[tuple[Any, str, bool]]
    is_same: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """Sweeps of one metric and goal among several that do not fit together."""

    metric: str
    goal: str
    sweeps: list[Sweep]
    url: str


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show the sweeps of the address; with the header X-Fragment only the parts that change."""
    asked = asked_sweeps(request.user, request.GET.get("sweeps", ""))
    context: dict[str, Any] = {
        "asked": asked,
        "most": MOST_SWEEPS,
        "refusal": refusal_of(asked),
        "kinds": _kinds(asked) if len(asked.kinds) > 1 else [],
        "offers": once(lambda: _offers(request, asked)),
    }
    if len(asked.placed) > 1 and not context["refusal"]:
        context |= _comparison(asked, clock.now())
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_compare_parts.html" if is_fragment else "experiments/compare.html"
    return render(request, name, context)


@require_safe
def chart(request: HttpRequest, ids: str, name: str) -> HttpResponse:
    """Return a figure of several sweeps as JSON; 304 while nothing has changed."""
    asked = asked_sweeps(request.user, ids)
    if name not in COMPARISONS or asked.missing or not asked.placed or refusal_of(asked):
        raise Http404("No such comparison.")
    drawn = load_comparison(name)
    known = {spec.name for spec in drawn.options}
    options = {key: str(value) for key, value in request.GET.items() if key in known}
    now = clock.now()
    etag = _etag(asked, name, options, now)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    view = Comparison(asked.placed, now).view(with_params=drawn.needs_params)
    figure = drawn.build(view, options).to_json()
    body = json.dumps(figure, separators=(",", ":"), allow_nan=False)
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def compare_url(slots: Sequence[str]) -> str:
    """Return the address of a comparison; "" in `slots` is a gap that keeps later places."""
    text = ",".join(slots).rstrip(",")
    return reverse("compare") + (f"?{urlencode({'sweeps': text}, safe=',')}" if text else "")


def _kinds(asked: Asked) -> list[Kind]:
    kinds = []
    for metric, goal in asked.kinds:
        sweeps = [
            p.sweep for p in asked.placed if (p.sweep.metric_name, p.sweep.goal) == (metric, goal)
        ]
        url = compare_url([sweep.public_id for sweep in sweeps])
        kinds.append(Kind(metric, goal, sweeps, url))
    return kinds


def _offers(request: HttpRequest, asked: Asked) -> list[tuple[Sweep, str]]:
    """Return the sweeps that could be added, each with its address; none when all places are."""
    if len(asked.placed) >= MOST_SWEEPS:
        return []
    slots = [*asked.slots]
    gap = slots.index("") if "" in slots else len(slots)
    offers = []
    for sweep in comparable_sweeps(request.user, asked):
        url = compare_url([*slots[:gap], sweep.public_id, *slots[gap + 1 :]])
        offers.append((sweep, url))
    return offers


def _comparison(asked: Asked, now: datetime) -> dict[str, Any]:
    measure = once(lambda: Comparison(asked.placed, now).figures())
    spec_rows = once(lambda: compare_specs([whole_spec(p.sweep) for p in asked.placed]))
    labels = distinct_names({p.place: p.sweep.name for p in asked.placed})
    values = [p.sweep.best_value for p in asked.placed]
    return {
        "columns": [
            Column(placed, labels[placed.place], _url_without(asked, placed.place), measure)
            for placed in asked.placed
        ],
        "first": asked.placed[0].sweep,
        "digits": max(4, metric_digits(values)) if _are_small(values) else metric_digits(values),
        "cards": [_card(asked, name) for name in COMPARISONS],
        "best_rows": once(lambda: _best_rows(measure())),
        "has_best": any(p.sweep.best_run for p in asked.placed),
        "spec_rows": spec_rows,
        "differing": once(lambda: sum(not row.is_same for row in spec_rows())),
        "page": {
            "live": asked.is_active,
            "sweeps": [p.sweep.public_id for p in asked.placed],
        },
    }


def _url_without(asked: Asked, place: int) -> str:
    return compare_url(["" if at == place else slot for at, slot in enumerate(asked.slots)])


def _are_small(values: Sequence[float | None]) -> bool:
    return all(abs(value) <= 1 for value in values if value is not None)


def _best_rows(figures: Sequence[SweepFigures]) -> list[BestRow]:
    bests = [
        in_declared_order(f.sweep.best_run.params, f.sweep.spec) if f.sweep.best_run else {}
        for f in figures
    ]
    winner: Mapping[str, Any] = next(
        (b for b, f in zip(bests, figures, strict=True) if f.is_best), {}
    )
    rows = []
    for name in dict.fromkeys(name for best in bests for name in best):
        cells = [
            (
                best.get(name),
                format_value(best[name]) if name in best else "",
                best is not winner and name in best and best[name] == winner.get(name, _NOTHING),
            )
            for best in bests
        ]
        known = [exact for best, (_, exact, _) in zip(bests, cells, strict=True) if best]
        rows.append(BestRow(name, cells, len(set(known)) == 1))
    return rows


def _card(asked: Asked, name: str) -> ChartCard:
    title, sub = _TITLES[name]
    pickers = [
        Picker(spec.name, spec.label, list(spec.choices), spec.default, is_quiet=True)
        for spec in load_comparison(name).options
    ]
    url = reverse("compare_chart", args=[",".join(asked.slots), name])
    return ChartCard(name, title, sub, url, pickers=pickers)


def _etag(asked: Asked, name: str, options: Mapping[str, str], now: datetime) -> str:
    parts: list[Any] = [name, sorted(options.items())]
    parts += [[p.place, p.sweep.pk, p.sweep.cursor, p.sweep.name] for p in asked.placed]
    if asked.is_active:
        parts.append(int(now.timestamp()) // _SECONDS_OF_LINES)
    return f'W/"{sha256(json.dumps(parts).encode()).hexdigest()[:24]}"'
