"""Ask the sampler of a sweep for its next configurations; reads rows, writes none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.models import Sweep
from experiments.samplers import load_sampler
from experiments.samplers.base import Sampler, SpaceExhausted, Suggestion
from experiments.services import kept_suggestions
from experiments.services.new_runs import NewRun
from experiments.services.sweep_history import Seen, history_of, look_at
from experiments.spec import SweepSpec

logger = logging.getLogger(__name__)


class SamplerFailed(Exception):  # noqa: N818 - a fact about the sweep, told in a sentence
    """The sampler raised; the text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the sampler wants: runs, or nothing more ever (`note` says why)."""

    runs: list[NewRun] = field(default_factory=list)
    is_exhausted: bool = False
    note: str = ""


def propose_runs(sweep: Sweep, count: int) -> Proposal:
    """Return up to `count` new runs for a sweep.

    Raises:
        SamplerFailed: the sampler has a fault.
    """
    spec = SweepSpec.from_stored(sweep.spec)
    try:
        suggestions = _suggestions(sweep, make_sampler(sweep, spec), count)
    except SpaceExhausted as end:
        return Proposal(is_exhausted=True, note=str(end))
    except Exception as error:
        logger.exception("sampler %s of sweep %s failed", spec.sampler_name, sweep.public_id)
        text = f"The {spec.sampler_name} sampler failed: {type(error).__name__}: {error}"
        raise SamplerFailed(text) from error
    return Proposal(
        runs=[
            NewRun(
                params=suggestion.params,
                arguments=arguments_of(spec, suggestion.params),
                note=suggestion.note,
                facts=suggestion.facts,
            )
            for suggestion in suggestions
        ]
    )


def make_sampler(sweep: Sweep, spec: SweepSpec) -> Sampler:
    """Return the sampler of a sweep; it keeps nothing between two questions."""
    kind = load_sampler(spec.sampler_name)
    return kind(spec.space, goal=sweep.goal, seed=sweep.seed, options=spec.sampler_options)


def suggest(sweep: Sweep, sampler: Sampler, seen: Seen, count: int) -> list[Suggestion]:
    """Let the sampler answer for a history, with values and facts as JSON can hold them.

    Raises:
        SpaceExhausted: there is no further configuration.
    """
    return [
        Suggestion(
            params=_plain(found.params),
            note=found.note,
            facts=None if found.facts is None else {**_plain(found.facts), **_source(seen)},
        )
        for found in sampler.suggest(history_of(sweep, seen), count)
    ]


def arguments_of(spec: SweepSpec, params: Mapping[str, Any]) -> list[str]:
    """Return what stands after the script; after the program where a whole command is given."""
    if spec.command is None:
        return spec.arguments_for(params)
    return spec.argv(params, "python")[1:]


def _suggestions(sweep: Sweep, sampler: Sampler, count: int) -> list[Suggestion]:
    seen = look_at(sweep)
    if sampler.looks_ahead:
        kept = kept_suggestions.take(sweep.pk, seen, count)
        if kept is not None:
            return kept
    return suggest(sweep, sampler, seen, count)


def _source(seen: Seen) -> dict[str, str]:
    # What was known: tells whether two suggestions had the same to go by.
    return {"history": seen.fingerprint}


def _plain(value: Any) -> Any:
    # numpy's numbers are no JSON.
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.item() if hasattr(value, "item") else value
