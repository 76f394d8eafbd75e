"""Earlier sweeps and runs that the new-sweep form offers to go on from, and why some cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.models import User
from django.db.models import F, QuerySet

from experiments import queries
from experiments.formats import format_metric
from experiments.forms.sweep_fields import SweepFields, format_ids, parse_ids, raw_from_fields
from experiments.forms.sweep_start import fields_of_sweep
from experiments.models import Run, Sweep, Workspace
from experiments.samplers import SAMPLERS, load_sampler
from experiments.services.warm_start import run_faults, sweep_faults, title_of
from experiments.spec import SweepSpec
from experiments.spec_files import readable_parts
from experiments.spec_warm_start import MAX_PARENTS, sweep_id_of
from experiments.states import badge
from experiments.storable import is_storable

_OFFERED_SWEEPS: Final = 20
_OFFERED_RUNS: Final = 8
# More than a specification may have; whoever pastes a book gets no longer lists.
_MOST_IDS: Final = 1000
_MOST_GROUPS: Final = 2 * MAX_PARENTS
# Buttons that put an id into a field or take it out again.
TOGGLES: Final = {"toggle_sweep": "resume_from", "toggle_run": "resume_child_runs"}


@dataclass(frozen=True, slots=True)
class Offer:
    """One earlier sweep or run; `reason` says why it cannot be chosen, "" where it can."""

    id: str
    label: str
    detail: str
    is_chosen: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunGroup:
    """The offered runs of one earlier sweep, the best first."""

    label: str
    runs: list[Offer]


@dataclass(frozen=True, slots=True)
class WarmStartOffers:
    """What the section shows below its two fields; `says`: what earlier sweeps are used for."""

    says: str = ""
    sweeps: list[Offer] = field(default_factory=list)
    groups: list[RunGroup] = field(default_factory=list)


def warm_start_offers(fields: SweepFields, user: User) -> WarmStartOffers:
    """Return the earlier sweeps of the workspace, and the runs of those that are chosen."""
    workspace = queries.current_workspace(user)
    if workspace is None:
        return WarmStartOffers()
    spec = _readable(fields)
    chosen, runs = _ids(fields, "resume_from"), _ids(fields, "resume_child_runs")
    sweeps = _sweeps(user, workspace)
    known = {sweep.public_id: sweep for sweep in sweeps.filter(public_id__in=chosen)}
    recent = sweeps.exclude(public_id__in=chosen).order_by("-pk")[:_OFFERED_SWEEPS]
    listed = [*(known[one] for one in chosen if one in known), *recent]
    parents = dict.fromkeys([*chosen, *(sweep_id_of(one) for one in runs)])
    return WarmStartOffers(
        says=_use_text(fields),
        sweeps=[_sweep_offer(sweep, spec, chosen) for sweep in listed],
        groups=[
            _run_group(sweep, spec, runs)
            for sweep in sweeps.filter(public_id__in=list(parents)[:_MOST_GROUPS]).order_by("pk")
        ],
    )


def apply_toggle(fields: SweepFields, post: Mapping[str, str]) -> SweepFields | None:
    """Return the fields after a button of an offer was pressed; None when it was none of these."""
    for button, name in TOGGLES.items():
        if one := post.get(button):
            ids = parse_ids(fields.get(name))
            changed = [i for i in ids if i != one] if one in ids else [*ids, one]
            return fields.with_texts(**{name: format_ids(changed)})
    return None


def fields_after(sweep: Sweep) -> SweepFields:
    """Return the form of a sweep that goes on from this one, with its code."""
    texts = {"resume_from": format_ids(ids_after(sweep)), "resume_child_runs": ""}
    return fields_of_sweep(sweep).with_texts(**texts)


def ids_after(sweep: Sweep) -> list[str]:
    """Return the ids that a sweep goes on from which goes on from this one."""
    before = parse_ids(format_ids(sweep.spec.get("resume_from")))[: MAX_PARENTS - 1]
    return [sweep.public_id, *before]


def fields_resuming(run: Run) -> SweepFields:
    """Return the form of a sweep that resumes this run, with its code."""
    texts = {"resume_from": "", "resume_child_runs": run.public_id}
    return fields_of_sweep(run.sweep).with_texts(**texts)


def _use_text(fields: SweepFields) -> str:
    """Say what is taken over from earlier sweeps with this sampling method and policy."""
    name, policy = fields.get("sampling"), fields.get("policy")
    if name not in SAMPLERS:
        return ""
    kind = load_sampler(name)
    uses = []
    if kind.looks_ahead:
        same = ", if their search space is identical" if kind.needs_same_space else ""
        uses.append(f"{kind.label} sampling learns from their runs{same}.")
    else:
        uses.append(f"{kind.label} sampling does not learn from them.")
    if policy not in ("", "none"):
        uses.append("Early termination compares runs with their curves.")
    elif not kind.looks_ahead:
        uses.append("Without early termination, earlier sweeps change nothing.")
    return " ".join(uses)


def _ids(fields: SweepFields, name: str) -> list[str]:
    """Return the ids of a field, as far as they can be looked for."""
    ids = parse_ids(fields.get(name))[:_MOST_IDS]
    return [one for one in ids if is_storable(one)]


def _readable(fields: SweepFields) -> SweepSpec:
    raw = raw_from_fields(fields)
    # An empty field is no other metric: whatever the sweep had may be meant.
    wrong = set() if fields.get("metric").strip() else {"primary_metric"}
    return readable_parts(raw, wrong) or SweepSpec.model_construct()


def _sweeps(user: User, workspace: Workspace) -> QuerySet[Sweep]:
    return queries.sweeps_for(user).filter(experiment__workspace=workspace)


def _sweep_offer(sweep: Sweep, spec: SweepSpec, chosen: list[str]) -> Offer:
    faults = sweep_faults(sweep, spec)
    if not faults and len(chosen) >= MAX_PARENTS and sweep.public_id not in chosen:
        faults = [f"{title_of(sweep)} would be one too many; at most {MAX_PARENTS} can be chosen."]
    best = (
        "no value yet"
        if sweep.best_value is None
        else f"best {sweep.metric_name} {format_metric(sweep.best_value)}"
    )
    parts = [badge(sweep.state, sweep.end_reason).label, f"{sweep.sampled} runs", best]
    return Offer(
        id=sweep.public_id,
        label=sweep.name,
        detail=" · ".join([*parts, f"{sweep.created_at:%Y-%m-%d %H:%M}"]),
        is_chosen=sweep.public_id in chosen,
        reason=_without_title(faults, title_of(sweep)),
    )


def _run_group(sweep: Sweep, spec: SweepSpec, chosen: list[str]) -> RunGroup:
    runs = Run.objects.filter(sweep=sweep).select_related("sweep")
    best = F("best_value")
    order = best.desc(nulls_last=True) if sweep.goal == "maximize" else best.asc(nulls_last=True)
    own = list(runs.filter(public_id__in=chosen).order_by("number"))
    others = runs.exclude(public_id__in=chosen).order_by(order, "number")[:_OFFERED_RUNS]
    return RunGroup(
        label=f"Runs of {sweep.name}",
        runs=[_run_offer(run, spec, chosen) for run in (*own, *others)],
    )


def _run_offer(run: Run, spec: SweepSpec, chosen: list[str]) -> Offer:
    value = "no value" if run.best_value is None else format_metric(run.best_value)
    title = f"Run {run.number} of {title_of(run.sweep)}"
    return Offer(
        id=run.public_id,
        label=f"Run {run.number}",
        detail=f"{badge(run.state, run.end_reason).label} · {run.sweep.metric_name} {value}",
        is_chosen=run.public_id in chosen,
        reason=_without_title(run_faults(run, spec), title),
    )


def _without_title(faults: list[str], title: str) -> str:
    """Join the sentences; what they are about stands beside them already."""
    short = [text.removeprefix(f"{title} ") for text in faults]
    return " ".join(f"{text[:1].upper()}{text[1:]}" for text in short)
