"""A few configurations as the chosen sampling method draws them, with their command lines. Pure.

They come from the very code that runs are sampled with.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from experiments.formats import format_param
from experiments.forms.codecs import parse_number, parse_words
from experiments.forms.sweep_fields import SweepFields
from experiments.samplers import SAMPLERS, load_sampler
from experiments.samplers.base import History, Sampler, SpaceExhausted
from experiments.space.space import SearchSpace
from experiments.spec_command import command_words, script_words

DRAWS: Final = 5
# So far "Draw again" goes before it starts anew.
MAX_PAGES: Final = 40


@dataclass(frozen=True, slots=True)
class Draws:
    """Up to five configurations; `values` are as shown, `commands` exact words for a shell."""

    names: list[str] = field(default_factory=list)
    values: list[list[str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    title: str = ""
    can_go_on: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return plain dictionaries and lists."""
        return asdict(self)


def draw_runs(fields: SweepFields, space: SearchSpace | None, page: int) -> Draws:
    """Return draw number `page` of five configurations; nothing for a space that is wrong.

    With a seed, or where nothing is random, they are the runs that the sweep will have; without
    one, every page is an example of its own.
    """
    sampler, is_exact = _sampler(fields, space, page)
    if sampler is None or space is None:
        return Draws()
    skipped = page * DRAWS if is_exact and not sampler.looks_ahead else 0
    try:
        found = sampler.suggest(History(next_number=0), skipped + DRAWS)[skipped:]
    except SpaceExhausted:
        found = []
    if not found and page:
        return draw_runs(fields, space, 0)
    params = [suggestion.params for suggestion in found]
    names = list(space.expressions)
    return Draws(
        names=names,
        values=[[format_param(one[name]) for name in names] for one in params],
        commands=_commands(fields, params),
        title=_title(is_exact, skipped, len(found)),
        can_go_on=not (is_exact and sampler.looks_ahead),
    )


def page_of(text: str) -> int:
    """Return the page that a form asks for; 0 for what is none."""
    return int(text) % MAX_PAGES if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _sampler(
    fields: SweepFields, space: SearchSpace | None, page: int
) -> tuple[Sampler | None, bool]:
    """Return the sampler, and whether it draws what the sweep will have."""
    name = fields.get("sampling")
    if space is None or name not in SAMPLERS:
        return None, False
    kind = load_sampler(name)
    seed = parse_number(fields.get("seed"))
    has_seed = isinstance(seed, int) and seed >= 0
    # Earlier sweeps and resumed runs come first, and change what is drawn.
    is_plain = not fields.get("resume_from").strip() and not fields.get("resume_child_runs").strip()
    is_exact = is_plain and (has_seed or not kind.fields)
    number = seed if has_seed and isinstance(seed, int) else 0
    number += 0 if is_exact else page
    if kind.check(space, {"seed": number} if kind.fields else {}, "sampling"):
        return None, False
    return kind(space, goal="maximize", seed=number), is_exact


def _title(is_exact: bool, skipped: int, count: int) -> str:
    if not is_exact:
        return "Five draws from this space" if count == DRAWS else f"{count} draws from this space"
    return f"Runs {skipped} to {skipped + count - 1} of this sweep" if count > 1 else "The only run"


def _commands(fields: SweepFields, params: list[dict[str, Any]]) -> list[str]:
    """Return the command line of each configuration; nothing while there is nothing to run."""
    python = fields.get("python").strip() or "python"
    entry = "command" if fields.get("entry") == "command" else "script"
    text = fields.get(entry).strip()
    if not text:
        return []
    try:
        return [shlex.join(_words(fields, entry, text, one, python)) for one in params]
    except (KeyError, ValueError, IndexError):
        # A command that is wrong: the check says how.
        return []


def _words(
    fields: SweepFields, entry: str, text: str, params: Mapping[str, Any], python: str
) -> list[str]:
    if entry == "command":
        return command_words(text, params, python)
    return script_words(text, parse_words(fields.get("arguments")), params, python)
