"""What the controls of the new-sweep form offer: registries, compute, earlier code, names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.urls import reverse

from experiments import queries
from experiments.formats import format_count, format_param
from experiments.forms.real_values import REAL_LABELS
from experiments.forms.sampler_cards import sampler_cards
from experiments.forms.sweep_fields import EXPRESSION_FIELDS, SpaceRow, SweepFields
from experiments.forms.sweep_start import example_folders
from experiments.models import Sweep
from experiments.models.compute import UNATTENDED
from experiments.models.site import MOST_AT_ONCE, MOST_MINUTES, MOST_RUNS
from experiments.policies import POLICIES, load_policy
from experiments.queries.site_settings import USUAL_MINUTES, site
from experiments.space import EXPRESSIONS, load_expression

_RECENT: Final = 200
_STARTS: Final = 6


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a list."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Options under a heading."""

    label: str
    options: list[Option]


@dataclass(frozen=True, slots=True)
class CodeSource:
    """One way to give the code."""

    name: str
    label: str
    icon: str


@dataclass(frozen=True, slots=True)
class ExpressionPart:
    """One field of the search-space rows; `css` says to which distributions it belongs."""

    key: str
    label: str
    css: str
    is_exponent: bool
    real_label: str = ""


@dataclass(frozen=True, slots=True)
class PolicyField:
    """One setting of a policy; `id` is that of its control."""

    id: str
    name: str
    label: str
    help: str
    placeholder: str


@dataclass(frozen=True, slots=True)
class PolicyChoice:
    """One early-termination policy with its settings."""

    name: str
    label: str
    help: str
    fields: list[PolicyField]


@dataclass(frozen=True, slots=True)
class ComputeChoice:
    """One compute target and how busy it is."""

    name: str
    text: str
    css: str
    queued: int
    is_usable: bool


_PART_CSS: Final = {
    "values": "f-values",
    "upper": "f-upper",
    "min_value": "f-bound",
    "max_value": "f-bound",
    "mu": "f-moment",
    "sigma": "f-moment",
    "q": "f-step",
}


def form_choices(fields: SweepFields, user: User) -> dict[str, Any]:
    """Return everything that the template offers, by its name there."""
    sweeps = list(queries.sweeps_for(user).order_by("-pk")[:_RECENT])
    return {
        "code_sources": _code_sources(sweeps, user),
        "snapshots": _snapshots(sweeps, fields),
        "folders": [str(f) for f in example_folders()] if queries.is_administrator(user) else [],
        "may_use_folders": queries.is_administrator(user),
        "experiments": sorted({sweep.experiment.name for sweep in sweeps}),
        "metrics": sorted({sweep.metric_name for sweep in sweeps}),
        "expression_groups": _expression_groups(),
        "expression_names": list(EXPRESSIONS),
        "expression_parts": _expression_parts(),
        "samplers": sampler_cards(fields),
        "policies": _policies(fields),
        "computes": _computes(fields, user),
        "starts": _starts(sweeps, user),
        "blank_row": SpaceRow(),
        "limit_hints": limit_hints(),
        "limit_most": json.dumps(most_of_limits()),
    }


def limit_hints() -> dict[str, str]:
    """Return what may stand in the fields of the budget, as this studio allows."""
    runs, at_once, minutes = most_of_limits().values()
    usual = site().spec_limits.assumed.get("max_duration_minutes", USUAL_MINUTES)
    span = f"{usual}, one week" if usual == USUAL_MINUTES else str(usual)
    return {
        "max_total_runs": f"1 to {runs}",
        "max_concurrent_runs": f"1 to {at_once}; empty: as many as possible",
        "max_duration_minutes": f"1 to {minutes}; empty: {span}",
    }


def most_of_limits() -> dict[str, int]:
    """Return the most that this studio allows, by field of the budget."""
    allowed = site().spec_limits.most
    most = {
        "max_total_runs": MOST_RUNS,
        "max_concurrent_runs": MOST_AT_ONCE,
        "max_duration_minutes": MOST_MINUTES,
    }
    return {name: allowed.get(name, value) for name, value in most.items()}


def _code_sources(sweeps: list[Sweep], user: User) -> list[CodeSource]:
    sources = [CodeSource("snapshot", "Code of an earlier sweep", "duplicate")] if sweeps else []
    sources.append(CodeSource("upload", "Upload a zip", "upload"))
    if queries.is_administrator(user):
        sources.append(CodeSource("folder", "Folder on the studio's machine", "folder"))
    return sources


def _snapshots(sweeps: list[Sweep], fields: SweepFields) -> list[OptionGroup]:
    """Return the different snapshots by experiment, the newest sweep of each standing for it."""
    groups: dict[str, list[Option]] = {}
    seen: set[str] = set()
    for sweep in sweeps:
        snapshot = sweep.snapshot
        if snapshot.digest in seen:
            continue
        seen.add(snapshot.digest)
        n = snapshot.file_count
        files = f"{format_count(n)} file{'' if n == 1 else 's'}"
        label = f"{sweep.name} · {files} · {sweep.created_at:%Y-%m-%d %H:%M} · {snapshot}"
        groups.setdefault(sweep.experiment.name, []).append(Option(snapshot.digest, label))
    chosen = fields.get("snapshot")
    if chosen and chosen not in seen:
        groups["Uploaded"] = [Option(chosen, f"{chosen[:12]} (uploaded)")]
    return [OptionGroup(label, options) for label, options in groups.items()]


def _expression_groups() -> list[OptionGroup]:
    kinds = [load_expression(name) for name in EXPRESSIONS]
    discrete = [Option(kind.name, kind.label) for kind in kinds if kind.is_discrete]
    continuous = [Option(kind.name, kind.label) for kind in kinds if not kind.is_discrete]
    return [OptionGroup("Discrete", discrete), OptionGroup("Continuous", continuous)]


def _expression_parts() -> list[ExpressionPart]:
    """Return every field that some expression has, with the label of the plain ones."""
    labels: dict[str, str] = {}
    for name in EXPRESSIONS:
        for spec in load_expression(name).fields:
            labels.setdefault(spec.name, spec.label.removesuffix(" (ln)"))
    return [
        ExpressionPart(key, labels[key], css, key in REAL_LABELS, REAL_LABELS.get(key, ""))
        for key, css in _PART_CSS.items()
        if any(key in keys for keys in EXPRESSION_FIELDS.values())
    ]


def _policies(fields: SweepFields) -> list[PolicyChoice]:
    found = [_policy(name) for name in POLICIES]
    chosen = fields.get("policy")
    if chosen not in POLICIES:
        found.append(PolicyChoice(chosen, chosen, "Not a policy of this studio.", []))
    return found


def _policy(name: str) -> PolicyChoice:
    kind = load_policy(name)
    settings = [
        PolicyField(
            id=f"policy-{name}-{spec.name}",
            name=spec.name,
            label=spec.label,
            help=spec.help,
            placeholder="" if spec.default is None else format_param(spec.default),
        )
        for spec in kind.fields
    ]
    return PolicyChoice(name, kind.label, kind.help, settings)


def _computes(fields: SweepFields, user: User) -> list[ComputeChoice]:
    targets = queries.compute_json(user)
    found = [_compute(target) for target in targets if target["kind"] not in UNATTENDED]
    chosen = fields.get("compute")
    if chosen and all(choice.name != chosen for choice in found):
        found.append(ComputeChoice(chosen, "No such target", "no", 0, is_usable=False))
    return found


def _compute(target: dict[str, Any]) -> ComputeChoice:
    slots, busy = target["slots"], target["busy"]
    if not target["enabled"]:
        text, css = "Turned off", "no"
    elif not slots:
        text, css = "No worker is attached: runs will wait", "rec"
    else:
        text, css = f"{max(0, slots - busy)} of {slots} slots free", "yes"
    return ComputeChoice(target["name"], text, css, target["queued"], target["enabled"])


def _starts(sweeps: list[Sweep], user: User) -> list[dict[str, Any]]:
    new = reverse("sweep_new")
    recent = [
        {"label": sweep.name, "url": f"{new}?from={sweep.public_id}"} for sweep in sweeps[:_STARTS]
    ]
    examples = [
        {"label": folder.name, "url": f"{new}?example={folder.name}"}
        for folder in (example_folders() if queries.is_administrator(user) else [])
    ]
    groups = [("Recent sweeps", recent), ("Examples", examples)]
    return [{"label": label, "links": links} for label, links in groups if links]
