"""The new-sweep form for a second sweep: the first one with what its pages advise to change.

Another search space: around one configuration, beyond an end where the best runs stand, without a
region that failed, or within one that somebody picked on a chart. Or a policy that judges later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from experiments.failure_map import Region, Test
from experiments.formats import format_param
from experiments.forms.sweep_fields import SweepFields, fields_from_raw
from experiments.forms.warm_start import ids_after
from experiments.insight_words import region_text
from experiments.models import Run, Sweep
from experiments.samplers import load_sampler
from experiments.services.warm_start import CONTINUABLE
from experiments.space.base import Expression
from experiments.space.cutting import without_range, without_value
from experiments.space.keeping import keep_options, keep_range
from experiments.space.literals import is_number
from experiments.space.narrowing import narrow_space
from experiments.space.widening import widen
from experiments.spec import SweepSpec

_MOST: Final = 255
_SIDES: Final = {"lower": -1, "upper": 1}
_LONGEST_LIST: Final = 100
_TESTS: Final[tuple[Test, ...]] = ("is", "from", "upto")


@dataclass(frozen=True, slots=True)
class ChangedForm:
    """A form with another search space, and the sentence about where it comes from."""

    fields: SweepFields
    origin: str


def fields_around(run: Run) -> SweepFields:
    """Return the form filled from the run's sweep, its search space narrowed around the run."""
    sweep = run.sweep
    space = narrow_space(SweepSpec.from_stored(sweep.spec).space, run.params)
    return _fields(sweep, f" around run {run.number}", space, [])


def form_beyond(sweep: Sweep, sides: Mapping[str, int]) -> ChangedForm | None:
    """Return the form with a space that goes on beyond these ends (-1 lower, 1 upper).

    It goes on from the sweep where that can be. None where an end cannot be moved.
    """
    changed = {}
    expressions = SweepSpec.from_stored(sweep.spec).space.expressions
    for name, side in sides.items():
        wider = widen(expressions[name], side) if name in expressions else None
        if wider is None:
            return None
        changed[name] = wider
    names = ", ".join(changed)
    how = f"with {names} extended beyond the end where its best runs are"
    return _changed_form(sweep, f" beyond {names}", changed, how) if changed else None


def form_without(sweep: Sweep, region: Region) -> ChangedForm | None:
    """Return the form with a space that leaves a region out; None where that cannot be."""
    expression = SweepSpec.from_stored(sweep.spec).space.expressions.get(region.name)
    if expression is None:
        return None
    smaller = _without(expression, region)
    if smaller is None:
        return None
    text = region_text(region)
    how = f"without {text}"
    return _changed_form(sweep, f" without {text}", {region.name: smaller}, how)


def form_within(sweep: Sweep, kept: Mapping[str, list[Any]]) -> ChangedForm | None:
    """Return the form with a space of which a region is kept; None where nothing changes.

    `kept` has the options of a choice, or [low, high] in real units with None for an open end. A
    parameter that cannot be narrowed so stays as it was.
    """
    expressions = SweepSpec.from_stored(sweep.spec).space.expressions
    changed = {}
    for name, values in kept.items():
        found = _within(expressions[name], values) if name in expressions else None
        if found is not None:
            changed[name] = found
    texts = ", ".join(f"{name} {_kept_text(expressions[name], kept[name])}" for name in changed)
    names = ", ".join(changed)
    how = f"within a region of its search space: {texts}"
    return _changed_form(sweep, f" within {names}", changed, how) if changed else None


def form_delayed(sweep: Sweep, delay: str) -> ChangedForm | None:
    """Return the form with the sweep's policy, or median stopping, from report `delay` on.

    None where no policy goes with its sampling, or that is no delay.
    """
    is_delay = delay.isascii() and delay.isdecimal() and len(delay) < 9 and int(delay) > 0
    if not is_delay or not takes_policy(sweep):
        return None
    policy = sweep.spec.get("early_termination") or {"type": "median_stopping"}
    space = SweepSpec.from_stored(sweep.spec).space.expressions
    how = f"judged from report {delay} on"
    fields = _fields(
        sweep,
        f" {how}",
        {name: expression.to_mapping() for name, expression in space.items()},
        [],
        early_termination={**policy, "delay_evaluation": int(delay)},
    )
    return ChangedForm(fields, f"Filled from “{sweep.name}”, {how}.")


def takes_policy(sweep: Sweep) -> bool:
    """Tell whether the sampling of a sweep goes with stopping runs early."""
    return load_sampler(SweepSpec.from_stored(sweep.spec).sampler_name).allows_policy


def read_kept(text: str) -> dict[str, list[Any]] | None:
    """Read a region as addresses have it: `{"lr": [0.001, null], "optimizer": ["adam"]}`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found:
        return None
    are_lists = all(isinstance(v, list) and 0 < len(v) <= _LONGEST_LIST for v in found.values())
    return found if are_lists else None


def _within(expression: Expression, values: list[Any]) -> Expression | None:
    if expression.scale == "category":
        return keep_options(expression, values)
    if len(values) != 2 or not all(value is None or is_number(value) for value in values):
        return None
    return keep_range(expression, *values)


def _kept_text(expression: Expression, values: list[Any]) -> str:
    if expression.scale == "category":
        return ", ".join(format_param(value) for value in values)
    low, high = (None if value is None else format_param(value) for value in values)
    if low is None:
        return f"up to {high}"
    return f"from {low}" if high is None else f"{low} to {high}"


def read_sides(texts: Sequence[str]) -> dict[str, int]:
    """Read ends as addresses have them: `learning_rate:upper`; what is none is passed over."""
    parts = (text.rpartition(":") for text in texts)
    return {name: _SIDES[side] for name, _, side in parts if name and side in _SIDES}


def read_region(query: Mapping[str, str]) -> Region | None:
    """Read a region as addresses have it: `parameter=lr&from=0.1`; None where it is none."""
    name = query.get("parameter", "")
    for test in _TESTS:
        if test not in query:
            continue
        try:
            value = json.loads(query[test])
        except (ValueError, RecursionError):
            return None
        return Region(name, test, value) if test == "is" or is_number(value) else None
    return None


def address_of(sweep: Sweep, region: Region) -> str:
    """Return the query of the form that leaves a region out."""
    value = json.dumps(region.value)
    return urlencode({"without": sweep.public_id, "parameter": region.name, region.test: value})


def can_leave_out(expression: Expression, region: Region) -> bool:
    """Tell whether the form can leave a region out."""
    return _without(expression, region) is not None


def _without(expression: Expression, region: Region) -> Expression | None:
    if region.test == "is":
        return without_value(expression, region.value)
    if region.test == "from":
        return without_range(expression, start=region.value)
    return without_range(expression, end=region.value)


def _changed_form(
    sweep: Sweep, tail: str, changed: Mapping[str, Expression], how: str
) -> ChangedForm:
    space = dict(SweepSpec.from_stored(sweep.spec).space.expressions) | dict(changed)
    parents, note = _parents(sweep)
    fields = _fields(sweep, tail, {name: e.to_mapping() for name, e in space.items()}, parents)
    return ChangedForm(fields, f"Filled from “{sweep.name}”, {how}. {note}")


def _parents(sweep: Sweep) -> tuple[list[str], str]:
    """Return the sweeps to go on from, and what that means or why there are none."""
    spec = SweepSpec.from_stored(sweep.spec)
    if load_sampler(spec.sampler_name).needs_same_space:
        why = f"{spec.sampler_name} sampling learns only from the identical search space"
    elif sweep.state not in CONTINUABLE:
        why = f"that sweep is {sweep.state}, and only completed and canceled ones can be continued"
    else:
        return ids_after(sweep), "It goes on from the runs of that sweep."
    return [], f"It starts without earlier runs: {why}."


def _fields(
    sweep: Sweep,
    tail: str,
    space: Mapping[str, Mapping[str, Any]],
    parents: list[str],
    **changed: Any,
) -> SweepFields:
    raw = {
        **sweep.spec,
        "name": (sweep.name[: max(1, _MOST - len(tail))] + tail)[:_MOST],
        "search_space": {name: dict(expression) for name, expression in space.items()},
        "resume_from": parents,
        "resume_child_runs": [],
        "snapshot": sweep.snapshot.digest,
        "source_directory": None,
        **changed,
    }
    return fields_from_raw(raw)
