"""The words about edges and failures, and the filters that show the runs behind them.

Pure: facts in, sentences and texts of the filter language out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from experiments.failure_map import FailureGroup, Finding, Region
from experiments.formats import format_param
from experiments.run_filter_terms import quote
from experiments.space.edges import NEAR, Edge
from experiments.space.literals import is_number

_SIGNS: Final = {"is": "=", "from": "≥", "upto": "≤"}
_OPERATORS: Final = {"is": "=", "from": ">=", "upto": "<="}
# What a part of a sentence needs to tell failures apart.
_TELLING: Final = 4
_LONGEST: Final = 900


@dataclass(frozen=True, slots=True)
class EdgeWords:
    """An edge for a page. `side` is "lower" or "upper", as in addresses."""

    edge: Edge
    side: str
    where: str
    evidence: str
    wider: str


def edge_words(edge: Edge, completed: int) -> EdgeWords:
    """Say where the best runs stand, how the others compare, and what is suggested."""
    end = "upper" if edge.side > 0 else "lower"
    bound = format_param(edge.bound)
    if edge.is_choice:
        where = f"{bound}, the {'largest' if edge.side > 0 else 'smallest'} of its options"
    else:
        where = f"within {NEAR:.0%} of its {end} bound, {bound}".replace("%", " %")
    best = f"{edge.at} of the {edge.top} best" if edge.at < edge.top else f"The {edge.top} best"
    others = f"so do {edge.others_at} of the other {edge.others}"
    if edge.others_at == 0:
        others = f"none of the other {edge.others} do"
    return EdgeWords(
        edge=edge,
        side=end,
        where=where,
        evidence=f"{best} of {completed} completed runs stand there; {others}.",
        wider=edge.wider.describe(),
    )


def region_text(region: Region) -> str:
    """Write a region as people would: batch_size = 512."""
    return f"{region.name} {_SIGNS[region.test]} {_value_text(region.value)}"


def finding_words(finding: Finding) -> str:
    """Say how often a region failed, beside everywhere else."""
    runs = "1 run" if finding.inside == 1 else f"{finding.inside} runs"
    elsewhere = (
        "no other run has ended"
        if finding.outside == 0
        else f"{finding.others} of {finding.outside} others"
    )
    return f"{finding.failed} of {runs} with it failed this way, {elsewhere}"


def region_filter(region: Region) -> str:
    """Return the filter that shows the runs of a region; "" where none says it."""
    value = region.value
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif is_number(value):
        text = repr(value)
    elif isinstance(value, str) and value:
        text = quote(value)
    else:
        return ""
    return f"{quote(f'params.{region.name}')}{_OPERATORS[region.test]}{text}"


def group_filter(group: FailureGroup, sentences: Mapping[int, str]) -> str:
    """Return the filter that shows the runs of a group.

    `sentences` are those of all failed runs, by number. A part of the sentence where it finds
    exactly them, also those that fail later; else their numbers.
    """
    own = set(group.numbers)
    for part in group.line.literals[:3]:
        text = part.strip()
        if len(text) < _TELLING:
            continue
        found = {n for n, sentence in sentences.items() if text.lower() in sentence.lower()}
        if found == own:
            return f"state:failed reason:{_always_quoted(text)}"
    numbers = f"number:{','.join(map(str, group.numbers))}"
    return numbers if len(numbers) <= _LONGEST else "state:failed"


def _always_quoted(text: str) -> str:
    found = quote(text)
    return found if found.startswith('"') else f'"{found}"'


def _value_text(value: Any) -> str:
    return format_param(value) if is_number(value) else json.dumps(value, ensure_ascii=False)
