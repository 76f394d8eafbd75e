"""The best model of a sweep: hyperparameters, exact arguments, files; follows while it runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from experiments import queries
from experiments.comparison import Compared
from experiments.forms.script_defaults import script_defaults
from experiments.models import Sweep
from experiments.permissions import Action
from experiments.queries import BestModel, WinningValue
from experiments.queries.models import versions_from
from experiments.queries.run_facts import planned_runs, progress_of
from experiments.spec import SweepSpec
from experiments.spec_command import format_value
from experiments.spec_yaml import dump_yaml
from experiments.states import SWEEP_ACTIVE
from experiments.views.best_strip import strip_picture
from experiments.views.model_panel import relation_card
from experiments.views.parts import once
from experiments.views.runs import curve_json, files_of
from experiments.views.sweep_head import find_sweep, page_data

_OUTPUTS: Final = "outputs/"
# The picture of a value in its search space is this wide; attributes instead of styles.
_TRACK: Final = 300
_MARGIN: Final = 3


@dataclass(frozen=True, slots=True)
class Placed:
    """A winning value with its marks in the search space, from 0 to `_TRACK`; None: no mark."""

    winner: WinningValue
    exact: str
    default: str
    x: float | None
    default_x: float | None
    others: list[float]


@dataclass(frozen=True, slots=True)
class Rival:
    """A line of the comparison: what the winner is compared with."""

    label: str
    compared: Compared
    note: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A configuration near the winner; `cells`: its values, exact and whether they are the same."""

    compared: Compared
    to_best: float
    cells: list[tuple[Any, str, bool]]


@require_safe
def best_model(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show the winner so far, or say why there is none yet."""
    sweep = find_sweep(request, sweep_id)
    progress = progress_of(sweep, timezone.now())
    model = once(lambda: queries.best_model(sweep, defaults=script_defaults(sweep)))
    context: dict[str, Any] = {
        "sweep": sweep,
        "model": model,
        "digits": progress.digits,
        "is_active": sweep.state in SWEEP_ACTIVE,
        "left": max(0, planned_runs(sweep) - progress.ended),
        "can_change": queries.may(request.user, sweep.experiment.workspace, Action.REGISTER_MODELS),
        "page": page_data(sweep, progress),
        "importance": relation_card(sweep, "importance"),
        **_parts(sweep, model),
    }
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_best_model_parts.html" if is_fragment else "experiments/best_model.html"
    return render(request, name, context)


def _parts(sweep: Sweep, found: Callable[[], BestModel | None]) -> dict[str, Callable[[], Any]]:
    """Return what the page shows of the winner; only templates that have one ask for it."""

    def of_model(make: Callable[[BestModel], Any]) -> Callable[[], Any]:
        def made() -> Any:
            model = found()
            return None if model is None else make(model)

        return once(made)

    files = of_model(lambda model: files_of(model.run))
    return {
        "run": of_model(lambda model: model.run),
        "placed": of_model(lambda model: [place_value(value) for value in model.values]),
        "has_defaults": of_model(lambda m: any(value.default is not None for value in m.values)),
        "strip": of_model(strip_picture),
        "curve": of_model(lambda model: curve_json(model.run, sweep.metric_name)),
        "rivals": of_model(rivals_of),
        "names": of_model(lambda model: list(model.params)),
        "neighbours": of_model(lambda m: [_neighbour(m, one) for one in m.nearest]),
        "registered": once(lambda: versions_from(sweep=sweep)),
        "argument_words": of_model(lambda m: [shlex.quote(word) for word in m.arguments]),
        "command_words": of_model(lambda model: _command_words(sweep, model)),
        "json_text": of_model(lambda m: json.dumps(m.params, indent=2, ensure_ascii=False)),
        "yaml_text": of_model(lambda model: dump_yaml(model.params)),
        "outputs": once(lambda: [f for f in files() if f.path.startswith(_OUTPUTS)]),
        "others": once(lambda: [f for f in files() if not f.path.startswith(_OUTPUTS)]),
        "archive_url": of_model(lambda m: reverse("run_archive", args=[m.run.public_id])),
    }


def _command_words(sweep: Sweep, model: BestModel) -> list[str]:
    words = model.command
    if not words:
        python = sweep.compute.python or "python"
        words = SweepSpec.from_stored(sweep.spec).argv(model.params, python)
    return [shlex.quote(word) for word in words]


def place_value(winner: WinningValue) -> Placed:
    """Return a winning value with its marks in the search space."""
    place = winner.position.place
    return Placed(
        winner=winner,
        exact=format_value(winner.value),
        default="" if winner.default is None else format_value(winner.default),
        x=None if place is None else _x(place),
        default_x=None if winner.default_place is None else _x(winner.default_place),
        others=[_x(other) for other in winner.others],
    )


def _x(place: float) -> float:
    # A mark at an end must not be cut in half.
    return _MARGIN + place * (_TRACK - 2 * _MARGIN)


def rivals_of(model: BestModel) -> list[Rival]:
    """Return what the winner is compared with."""
    rivals = []
    if model.second:
        rivals.append(Rival("Second best", model.second))
    if model.median:
        rivals.append(Rival("Median run", model.median))
    if model.by_defaults:
        is_exact = model.by_defaults.distance == 0
        label = "Script defaults" if is_exact else "Nearest to the script's defaults"
        note = "" if is_exact else f"distance {model.by_defaults.distance:.2f}"
        rivals.append(Rival(label, model.by_defaults, note))
    return rivals


def _neighbour(model: BestModel, one: Compared) -> Neighbour:
    params = one.result.params
    cells = [
        (
            params.get(name),
            format_value(params[name]) if name in params else "",
            params.get(name) == value,
        )
        for name, value in model.params.items()
    ]
    return Neighbour(one, one.result.value - model.value, cells)
