"""Why something was found: the text or tag with a word, the values that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from experiments.formats import format_param
from experiments.models import Run, Sweep
from experiments.queries.json_forms import in_declared_order
from experiments.run_filter_terms import split_terms, unquote
from experiments.search_terms import SearchTerms
from experiments.text_marks import mark_words, snippet

_PARAMS_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a line says about a run that was found; `is_asked`: its values were asked for."""

    params: list[tuple[str, Any]]
    where: str
    is_asked: bool

    def texts(self) -> list[tuple[str, str]]:
        """Return the values as people read them."""
        return [(name, format_param(value)) for name, value in self.params]


def found_in_sweep(sweep: Sweep, terms: SearchTerms) -> str:
    """Return where the words stand that the line of a sweep does not show."""
    owner = sweep.owner.get_username() if sweep.owner else ""
    shown = f"{sweep.name} {sweep.experiment.name} {sweep.metric_name} {sweep.public_id} {owner}"
    return _where(shown, terms, sweep.description, sweep.tags)


def found_in_run(run: Run, terms: SearchTerms) -> RunContext:
    """Return the hyperparameters that were asked for, else the first ones, and where words are."""
    params = in_declared_order(run.params, run.sweep.spec)
    asked = {
        unquote(term.name).removeprefix("params.").lstrip("-").lower()
        for term in split_terms(terms.conditions)
        if term.sign
    }
    names = [name for name in params if _is_asked(name, asked)]
    shown = names or list(params)[:_PARAMS_SHOWN]
    visible = f"{run.public_id} {run.sweep.name} {run.sweep.experiment.name}"
    where = _where(visible, terms, f"{run.reason} {run.note}", run.tags)
    return RunContext([(name, params[name]) for name in shown], where, bool(names))


def _is_asked(name: str, asked: set[str]) -> bool:
    bare = name.lstrip("-").lower()
    initials = "".join(word[:1] for word in bare.replace("-", "_").split("_"))
    return bare in asked or (len(initials) > 1 and initials in asked)


def _where(shown: str, terms: SearchTerms, text: str, tags: Mapping[str, Any]) -> str:
    missing = [word for word in terms.words if not _has(shown, [word])]
    if not missing:
        return ""
    for name, value in tags.items():
        tag = f"{name}: {value}" if value else name
        if _has(tag, missing):
            return f"tag {tag}"
    return snippet(text, missing)


def _has(text: str, words: Sequence[str]) -> bool:
    return any(hit for _, hit in mark_words(text, words))
