"""What charts draw from: a sweep's runs, its search space and the limit of its policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from experiments.charts.base import RunView, SweepView
from experiments.curves import CurveSet
from experiments.models import Run, Sweep
from experiments.policies import make_policy
from experiments.queries.metric_model import metric_model, model_need
from experiments.queries.readings import values_read
from experiments.queries.relations import relations_of
from experiments.queries.series import whole_values
from experiments.queries.slots import slots_of
from experiments.queries.warm_start import add_earlier_curves
from experiments.readings import BEST, Reading, ReadValues
from experiments.spec import SweepSpec
from experiments.states import RUN_TERMINAL

# In the order of the fields of RunView.
_FIELDS: Final = (
    "number",
    "public_id",
    "state",
    "end_reason",
    "params",
    "best_value",
    "best_interval",
    "last_value",
    "reports",
)


def chart_view(
    sweep: Sweep,
    *,
    with_limits: bool = True,
    with_model: bool = False,
    with_relations: bool = False,
    slots_at: datetime | None = None,
    reading: Reading = BEST,
) -> SweepView:
    """Return a sweep as charts see it; three queries, whatever the number of runs.

    `slots_at` asks for its slots as they are at that time. A reading other than the best costs a
    query or two more, and goes for everything: values, the best run, what a model learns.
    """
    spec = SweepSpec.from_stored(sweep.spec)
    # Only what charts need: a model for each of a thousand runs takes twice as long.
    runs = Run.objects.filter(sweep=sweep).order_by("number").values_list(*_FIELDS)
    views = tuple(RunView(*row) for row in runs)
    best = _best_number(sweep)
    if not reading.is_best:
        read = values_read(sweep, reading)
        views, best = tuple(_read_as(view, read) for view in views), read.best
    model = metric_model(sweep, spec.space, views) if with_model else None
    policy = make_policy(sweep.spec.get("early_termination"))
    return SweepView(
        metric=sweep.metric_name,
        goal=sweep.goal,
        space=spec.space.expressions,
        runs=views,
        best_number=best,
        limits=tuple(policy_limits(sweep)) if with_limits else (),
        limit_label=policy.rule(),
        model=model,
        slots=slots_of(sweep, slots_at) if slots_at else None,
        model_note=_model_note(sweep, reading) if with_model and model is None else "",
        reading=reading,
        relations=relations_of(sweep, list(spec.space.expressions), views)
        if with_relations
        else None,
    )


def _best_number(sweep: Sweep) -> int | None:
    if sweep.best_run_id is None:
        return None
    # Of a run that is not there yet no more than this: the whole row takes five times as long.
    if Sweep._meta.get_field("best_run").is_cached(sweep):
        return sweep.best_run.number if sweep.best_run else None
    best = Run.objects.filter(pk=sweep.best_run_id)
    return best.values_list("number", flat=True).first()


def _model_note(sweep: Sweep, reading: Reading) -> str:
    need = model_need(sweep)
    if reading.is_best or not need.has_enough:
        return need.note
    return f"Too few ended runs have a {reading.phrase} for a model of it."


def policy_limits(sweep: Sweep) -> list[tuple[int, float]]:
    """Return the (interval, limit) line of the sweep's policy; empty when it has none."""
    policy = make_policy(sweep.spec.get("early_termination"))
    if policy.name == "none":
        return []
    curves = CurveSet(sweep.goal)
    add_earlier_curves(sweep, curves)
    for number, values in whole_values(sweep, sweep.metric_name):
        curves.append(number, values)
    ended = Run.objects.filter(sweep=sweep, state__in=sorted(RUN_TERMINAL))
    for number in ended.values_list("number", flat=True):
        curves.set_finished(number)
    return policy.limit_line(sweep.goal, curves)


def _read_as(view: RunView, read: ReadValues) -> RunView:
    value = read.get(view.number)
    absent = f"without a value {read.reading.label}" if view.number in read.lacking else ""
    if absent and read.reading.step is None:
        absent = "whose last value is no number"
    return replace(view, best=value, best_interval=None, absent=absent)
