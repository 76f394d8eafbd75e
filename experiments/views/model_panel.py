"""The cards about parameters on the charts page: the model, what mattered, and pairs of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from experiments import queries
from experiments.charts import load_chart
from experiments.models import Sweep
from experiments.views.sweep_head import ChartCard, Picker, chart_url

_NAMES: Final = ("model_slice", "model_surface", "model_check")
_SUBS: Final = {
    "model_slice": "on the line through the best run, with one standard deviation",
    "model_surface": "on the plane through the best run",
    "model_check": "each run as expected from all others",
    "importance": "for the ranking of the runs",
    "correlation": "of each parameter alone, with its interval",
    "matrix": "median value in each part; click one to see its runs",
}


@dataclass(frozen=True, slots=True)
class ModelPanel:
    """The cards; without any, `note` says what they wait for."""

    note: str
    cards: list[ChartCard] = field(default_factory=list)


def model_panel(sweep: Sweep) -> ModelPanel:
    """Return the panel of a sweep; one query."""
    need = queries.model_need(sweep)
    if not need.is_offered:
        return ModelPanel(need.note)
    return ModelPanel(need.note, [_card(sweep, name) for name in _NAMES])


def relation_card(sweep: Sweep, name: str) -> ChartCard:
    """Return the card of a chart of parameters against the value of the runs."""
    return ChartCard(name, load_chart(name).label, _SUBS[name], chart_url(sweep, name))


def _card(sweep: Sweep, name: str) -> ChartCard:
    chart = load_chart(name)
    names = [(key, key) for key in sweep.spec["search_space"]]
    pickers = []
    for spec in chart.options:
        if spec.kind == "parameter":
            default = names[min(int(spec.default), len(names) - 1)][0]
            pickers.append(Picker(spec.name, spec.label, names, default, is_quiet=True))
        else:
            choices = list(spec.choices)
            pickers.append(Picker(spec.name, spec.label, choices, spec.default, is_quiet=True))
    return ChartCard(name, chart.label, _SUBS[name], chart_url(sweep, name), pickers=pickers)
