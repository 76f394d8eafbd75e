"""The outcome of a campaign as text for people, in Markdown. Pure but for facts of the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import psutil

from tests.chaos.plan import LIVE, WAITING

_STATES = (*WAITING, *LIVE)


@dataclass(frozen=True, slots=True)
class Hit:
    """One fault that struck: `seconds` until all was well again, None when it never was."""

    kind: str
    state: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that a campaign found out; `checks` are (what, evidence against it)."""

    seed: int
    database: str
    hosts: int
    minutes: float
    hits: Sequence[Hit]
    facts: Sequence[tuple[str, str]]
    checks: Sequence[tuple[str, Sequence[str]]]
    notes: Sequence[str] = field(default=())

    @property
    def is_good(self) -> bool:
        """Whether no check has any evidence against it."""
        return not any(evidence for _, evidence in self.checks)


def machine() -> str:
    """Say on what the campaign ran."""
    gigabytes = psutil.virtual_memory().total / 1e9
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {gigabytes:.0f} GB"


def markdown(outcome: Outcome) -> str:
    """Return the report: facts, checks, faults by kind and state, times to recover."""
    where = (
        f"{outcome.database}, {outcome.hosts} other machines" if outcome.hosts else outcome.database
    )
    lines = [
        f"{len(outcome.hits)} faults in {outcome.minutes:.1f} minutes on {where}; "
        f"seed {outcome.seed}; {machine()}; Python {platform.python_version()}.",
        "",
        "| what | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in outcome.facts),
        "",
        "| must hold | violations |",
        "|---|---|",
        *(f"| {what} | **{len(evidence)}** |" for what, evidence in outcome.checks),
        "",
        *_table(outcome.hits),
    ]
    return "\n".join(lines) + "\n"


def _table(hits: Sequence[Hit]) -> list[str]:
    used = [state for state in _STATES if any(hit.state == state for hit in hits)]
    head = ["fault", *used, "all", "well again after, median", "longest"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    kinds = list(dict.fromkeys(hit.kind for hit in hits))
    for kind in sorted(kinds):
        own = [hit for hit in hits if hit.kind == kind]
        counts = [sum(hit.state == state for hit in own) for state in used]
        times = sorted(hit.seconds for hit in own if hit.seconds is not None)
        middle = f"{median(times):.1f} s" if times else "-"
        longest = f"{times[-1]:.1f} s" if times else "-"
        cells = [kind, *(str(n or "") for n in counts), str(len(own)), middle, longest]
        lines.append(f"| {' | '.join(cells)} |")
    sums = [str(sum(hit.state == state for hit in hits)) for state in used]
    lines.append(f"| all | {' | '.join(sums)} | {len(hits)} | | |")
    return lines
