"""How a filter of runs falls into terms: names, signs, values, quotes. Pure; knows no column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from experiments.problems import Problem, ProblemsError
from experiments.storable import is_storable

MAX_LENGTH: Final = 1000
MAX_CONDITIONS: Final = 50
PATH: Final = "filter"
_SIGNS: Final = ("<=", ">=", "!=", "<", ">", "=", ":")
_STOPS: Final = frozenset(":<>=")


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a filter before its column is known; `value` keeps its quotes."""

    text: str
    name: str
    sign: str
    value: str
    is_negated: bool


def split_terms(text: str) -> list[Term]:
    """Cut a filter into its terms, whatever columns there are.

    Raises:
        ProblemsError: it is too long, or a quote is not closed.
    """
    if len(text) > MAX_LENGTH:
        raise _refuse(f"The filter has {len(text)} characters; use at most {MAX_LENGTH}.")
    if not is_storable(text):
        raise _refuse("The filter has a null character or half a character; remove it.")
    terms = list(_Reader(text).terms())
    if len(terms) > MAX_CONDITIONS:
        raise _refuse(f"The filter has {len(terms)} conditions; use at most {MAX_CONDITIONS}.")
    return terms


def split_list(text: str) -> Iterator[str]:
    """Cut at commas that do not stand in quotes."""
    start = at = 0
    is_quoted = False
    while at < len(text):
        if text[at] == "\\" and is_quoted:
            at += 1
        elif text[at] == '"':
            is_quoted = not is_quoted
        elif text[at] == "," and not is_quoted:
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def unquote(text: str) -> str:
    """Take away quotes, and backslashes before quotes and backslashes within them."""
    if '"' not in text:
        return text
    kept = []
    is_quoted = False
    chars = iter(text)
    for char in chars:
        if char == '"':
            is_quoted = not is_quoted
        elif char == "\\" and is_quoted:
            kept.append(next(chars, ""))
        else:
            kept.append(char)
    return "".join(kept)


def quote(text: str) -> str:
    """Write a text so that a filter takes it as one piece."""
    is_plain = not any(char.isspace() or char in '",:<>=!\\' for char in text)
    # A dash in front would negate; two of them begin the name of an argument.
    if text and is_plain and (text[0] != "-" or text.startswith("--")):
        return text
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def _refuse(message: str) -> ProblemsError:
    return ProblemsError([Problem(PATH, message)])


class _Reader:
    """Reads terms from left to right; blanks may stand around a sign."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def terms(self) -> Iterator[Term]:
        is_negated = False
        while self._skip_blanks():
            start = self._at
            if self._text.startswith(("-", "!"), start) and self._follows(start + 1):
                is_negated = not is_negated
                self._at += 1
            name = self._piece(_STOPS)
            if name in ("AND", "and") and not self._sign_ahead():
                continue
            if name == "NOT" and not self._sign_ahead():
                is_negated = not is_negated
                continue
            sign = self._sign()
            value = self._piece(frozenset()) if sign else ""
            text = self._text[start : self._at].strip()
            yield Term(text, name, sign, value, is_negated)
            is_negated = False

    def _follows(self, at: int) -> bool:
        """Tell whether a term begins here, so that the sign before it negates: a lone dash is a
        word, and two belong to the name of an argument."""
        rest = self._text[at : at + 2]
        is_name = not rest.startswith("-") or rest == "--"
        return bool(rest) and not rest[0].isspace() and rest[0] != "=" and is_name

    def _skip_blanks(self) -> bool:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at < len(self._text)

    def _sign_ahead(self) -> str:
        rest = self._text[self._at :].lstrip()
        blanks = len(self._text) - self._at - len(rest)
        sign = next((sign for sign in _SIGNS if rest.startswith(sign)), "")
        # After a blank a colon begins a word of its own, as in "epoch :3".
        return "" if sign == ":" and blanks else sign

    def _sign(self) -> str:
        sign = self._sign_ahead()
        if sign:
            self._skip_blanks()
            self._at += len(sign)
            self._skip_blanks()
        return sign

    def _piece(self, stops: frozenset[str]) -> str:
        """Read up to a blank or a stop; what stands in quotes is kept whole."""
        start = self._at
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char == '"':
                self._skip_quoted()
                continue
            if char.isspace() or char in stops or (stops and text.startswith("!=", self._at)):
                break
            self._at += 1
        return text[start : self._at]

    def _skip_quoted(self) -> None:
        start = self._at
        self._at += 1
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return
            self._at += 2 if char == "\\" else 1
        raise _refuse(f'The quote before {self._text[start + 1 :]!r} is not closed; add ".')
