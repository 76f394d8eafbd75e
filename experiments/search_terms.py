"""What somebody looks for everywhere: words, places (`owner:ana`), conditions on runs.

Text in, parts out; the language is that of the table of runs. Pure: knows no rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from experiments.problems import Problem, ProblemsError
from experiments.run_filter_terms import Term, split_list, split_terms, unquote

MAX_LENGTH: Final = 300
PATH: Final = "q"
# Where things are, whatever they are; the other names are columns of runs.
PLACES: Final = ("experiment", "owner", "sweep", "workspace", "metric")
_PLACE_SIGNS: Final = frozenset({":", "=", "!="})
_NUMBERED: Final = re.compile(r"#(\d{1,9})")
_NUMBER: Final = "number="
_WORDS_OF_VALUES: Final = frozenset({"none", "any", "nan"})


@dataclass(frozen=True, slots=True)
class Place:
    """A condition on where something is. `is_exact` wants the whole name, not a part of it."""

    name: str
    values: tuple[str, ...]
    is_exact: bool
    is_negated: bool


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """A search in parts; `conditions` is a filter of runs as text, "" without any."""

    words: tuple[str, ...]
    places: tuple[Place, ...]
    conditions: str

    @property
    def is_about_one_run(self) -> bool:
        """Whether runs are meant by their number: "run 12" is no question about sweeps."""
        parts = self.conditions.split()
        return bool(parts) and all(part.startswith(_NUMBER) for part in parts)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is looked for."""
        return not (self.words or self.places or self.conditions)


def read_search(text: str) -> SearchTerms:
    """Cut a search into its parts.

    Raises:
        ProblemsError: it is too long, a quote is open, or a place has no value.
    """
    if len(text) > MAX_LENGTH:
        message = f"The search has {len(text)} characters; use at most {MAX_LENGTH}."
        raise ProblemsError([Problem(PATH, message)])
    words: list[str] = []
    places: list[Place] = []
    conditions: list[str] = []
    for term in _joined(split_terms(text)):
        if not term.sign and not term.is_negated:
            words.append(unquote(term.name))
        elif _is_place(term):
            places.append(_place(term))
        else:
            conditions.append(_written(term))
    return SearchTerms(tuple(word for word in words if word), tuple(places), " ".join(conditions))


def _joined(terms: list[Term]) -> list[Term]:
    """Take "run 12", "run #12" and "#12" for the number of a run."""
    found: list[Term] = []
    skip = False
    for at, term in enumerate(terms):
        if skip:
            skip = False
            continue
        following = terms[at + 1] if at + 1 < len(terms) else None
        is_run = term.name.lower() in ("run", "runs") and not term.sign and not term.is_negated
        if is_run and following and not following.sign and following.name.lstrip("#").isdigit():
            number = following.name.lstrip("#")
            found.append(_number_term(number))
            skip = True
        elif not term.sign and _NUMBERED.fullmatch(term.name):
            found.append(_number_term(term.name[1:]))
        else:
            found.append(term)
    return found


def _number_term(number: str) -> Term:
    return Term(f"{_NUMBER}{number}", "number", "=", number, is_negated=False)


def _is_place(term: Term) -> bool:
    name = unquote(term.name).lower()
    if name not in PLACES or term.sign not in _PLACE_SIGNS:
        return False
    # `metric:0.9..1` is a condition on the best value, `metric:accuracy` is a name.
    value = unquote(term.value)
    return name != "metric" or (value[:1].isalpha() and value.lower() not in _WORDS_OF_VALUES)


def _place(term: Term) -> Place:
    values = tuple(value for part in split_list(term.value) if (value := unquote(part).strip()))
    if not values:
        name = unquote(term.name)
        text = f"'{term.text}' has no value after '{term.sign}'; write it like {name}:words."
        raise ProblemsError([Problem(PATH, text)])
    is_negated = term.is_negated != (term.sign == "!=")
    is_exact = term.sign in ("=", "!=")
    return Place(unquote(term.name).lower(), values, is_exact, is_negated)


def _written(term: Term) -> str:
    """Write a condition again; `NOT` stood before the text of its term, a dash within it."""
    text = term.text
    # Two dashes begin the name of an argument, three negate one.
    is_dash = text[:1] == "-" and (text[:2] != "--" or text[:3] == "---")
    bare = text[1:] if is_dash or text[:1] == "!" else text
    return f"-{bare}" if term.is_negated else bare
