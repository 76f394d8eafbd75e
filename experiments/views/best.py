"""The best model of a sweep: hyperparameters, exact arguments, files; follows while it runs."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from experiments import queries
from experiments.models import Sweep
from experiments.queries import BestModel, WinningValue
from experiments.queries.run_facts import planned_runs, progress_of
from experiments.spec import SweepSpec
from experiments.spec_command import format_value
from experiments.spec_yaml import dump_yaml
from experiments.states import SWEEP_ACTIVE
from experiments.views.runs import files_of
from experiments.views.sweep_head import find_sweep, page_data

_OUTPUTS: Final = "outputs/"
# The picture of a value in its search space is this wide; attributes instead of styles.
_TRACK: Final = 300


@dataclass(frozen=True, slots=True)
class Placed:
    """A winning value with its mark in the search space, from 0 to `_TRACK`; None: no mark."""

    winner: WinningValue
    exact: str
    x: float | None
    low: Any
    high: Any


@require_safe
def best_model(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show the winner so far, or say why there is none yet."""
    sweep = find_sweep(request, sweep_id)
    progress = progress_of(sweep, timezone.now())
    model = queries.best_model(sweep)
    context: dict[str, Any] = {
        "sweep": sweep,
        "model": model,
        "digits": progress.digits,
        "is_active": sweep.state in SWEEP_ACTIVE,
        "left": max(0, planned_runs(sweep) - progress.ended),
        "page": page_data(sweep, progress),
    }
    if model is not None:
        context |= _model_context(sweep, model)
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_best_model_parts.html" if is_fragment else "experiments/best_model.html"
    return render(request, name, context)


def _model_context(sweep: Sweep, model: BestModel) -> dict[str, Any]:
    files = files_of(model.run)
    return {
        "run": model.run,
        "placed": [_place(value) for value in model.values],
        "argument_words": [shlex.quote(word) for word in model.arguments],
        "command_words": [
            shlex.quote(word) for word in model.command or _planned_command(sweep, model)
        ],
        "json_text": json.dumps(model.params, indent=2, ensure_ascii=False),
        "yaml_text": dump_yaml(model.params),
        "outputs": [f for f in files if f.path.startswith(_OUTPUTS)],
        "others": [f for f in files if not f.path.startswith(_OUTPUTS)],
        "archive_url": reverse("run_archive", args=[model.run.public_id]),
    }


def _planned_command(sweep: Sweep, model: BestModel) -> list[str]:
    return SweepSpec.from_stored(sweep.spec).argv(model.params, sweep.compute.python or "python")


def _place(winner: WinningValue) -> Placed:
    exact = format_value(winner.value)
    if winner.position is None:
        count = len(winner.choices)
        if winner.value not in winner.choices:
            return Placed(winner, exact, None, None, None)
        x = (winner.choices.index(winner.value) + 0.5) / count * _TRACK
        return Placed(winner, exact, x, winner.choices[0], winner.choices[-1])
    x = min(1.0, max(0.0, winner.position)) * _TRACK
    return Placed(winner, exact, x, winner.low, winner.high)
