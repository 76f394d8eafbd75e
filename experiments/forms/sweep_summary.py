"""A specification in a few lines for the panel beside the form. Pure; works on wrong ones too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.formats import format_duration
from experiments.forms.codecs import parse_number
from experiments.forms.sweep_fields import SpaceRow, SweepFields, raw_from_fields, takes_seed
from experiments.policies import make_policy
from experiments.problems import ProblemsError
from experiments.samplers import SAMPLERS, load_sampler
from experiments.space.parsing import parse_expression


@dataclass(frozen=True, slots=True)
class SummaryEntry:
    """One line of the summary: a label and what stands beside it."""

    label: str
    lines: list[str] = field(default_factory=list)
    is_code: bool = False


def summarize(fields: SweepFields) -> list[SummaryEntry]:
    """Return the summary, in the order of the form; what is empty shows a dash."""
    raw = raw_from_fields(fields)
    goal = "Minimize" if fields.get("goal") == "minimize" else "Maximize"
    command = fields.get("command") if fields.get("entry") == "command" else fields.get("script")
    return [
        SummaryEntry("Runs", [command.strip() or "–"], is_code=True),
        SummaryEntry("Tuned", [_row_text(row) for row in fields.rows] or ["–"], is_code=True),
        SummaryEntry("Sampling", [_sampling_text(fields)]),
        SummaryEntry("Goal", [f"{goal} {fields.get('metric').strip() or '–'}"]),
        SummaryEntry("Early stop", [_policy_text(raw.get("early_termination"))]),
        SummaryEntry("Budget", _budget_lines(fields)),
        SummaryEntry("Compute", [fields.get("compute") or "–"]),
        *_warm_start(raw),
    ]


def _warm_start(raw: Mapping[str, Any]) -> list[SummaryEntry]:
    found = [
        f"{len(raw[key])} {what}{'' if len(raw[key]) == 1 else 's'}"
        for key, what in (("resume_from", "earlier sweep"), ("resume_child_runs", "resumed run"))
        if raw.get(key)
    ]
    return [SummaryEntry("Warm start", [", ".join(found)])] if found else []


def expression_text(row: SpaceRow) -> str:
    """Return a row as text; a wrong one as far as it goes."""
    expression = row.expression()
    try:
        return parse_expression(expression, "").to_text()
    except ProblemsError:
        return f"{row.type}(…)"


def _row_text(row: SpaceRow) -> str:
    return f"{row.name or '?'}: {expression_text(row)}"


def _sampling_text(fields: SweepFields) -> str:
    name = fields.get("sampling")
    label = load_sampler(name).label if name in SAMPLERS else name
    seed = fields.get("seed").strip()
    return f"{label}, seed {seed}" if seed and takes_seed(name) else label


def _policy_text(policy: Mapping[str, Any] | None) -> str:
    if policy is None:
        return "None"
    try:
        return make_policy(policy).summary()
    except (ProblemsError, KeyError):
        return str(policy.get("type", "–")).replace("_", " ")


def _budget_lines(fields: SweepFields) -> list[str]:
    total = fields.get("max_total_runs").strip() or "–"
    at_once = fields.get("max_concurrent_runs").strip()
    minutes = parse_number(fields.get("max_duration_minutes"))
    lines = [
        f"{total} runs, {f'{at_once} at a time' if at_once else 'as many at a time as possible'}"
    ]
    if isinstance(minutes, int | float):
        lines.append(f"at most {format_duration(minutes * 60)}")
    limit = parse_number(fields.get("run_timeout_minutes"))
    if isinstance(limit, int | float):
        lines.append(f"a run at most {format_duration(limit * 60)}")
    return lines
