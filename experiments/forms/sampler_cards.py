"""The sampling methods as cards: what they are for, and whether the search space fits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from experiments.formats import format_count
from experiments.forms.codecs import parse_number
from experiments.forms.space_preview import space_of
from experiments.forms.sweep_fields import SpaceRow, SweepFields, takes_seed
from experiments.problems import ProblemsError
from experiments.samplers import SAMPLERS, load_sampler
from experiments.samplers.base import Sampler
from experiments.space import EXPRESSIONS
from experiments.space.space import SearchSpace
from experiments.spec_warnings import RUNS_PER_PARAMETER


@dataclass(frozen=True, slots=True)
class SamplerCard:
    """One sampling method; `misfits` are parameters that it cannot take as they are.

    `odd_values` are those among them whose distribution is right and whose values are not.
    """

    name: str
    label: str
    help: str
    accepts: list[str]
    misfits: list[str]
    glyph: list[tuple[float, float]]
    is_known: bool = True
    takes_seed: bool = True
    odd_values: tuple[str, ...] = ()
    refuses_policy: bool = False
    advice: str = ""

    @property
    def is_fit(self) -> bool:
        """Tell whether the method takes what stands in the form."""
        return not self.misfits and not self.refuses_policy

    @property
    def fit_text(self) -> str:
        """Say whether the search space fits."""
        if not self.is_known:
            return "Not a sampling method of this studio"
        every = len(self.accepts) == len(EXPRESSIONS)
        if not self.misfits and self.refuses_policy:
            return "Not together with early termination"
        if not self.misfits:
            return "All distributions" if every else "Every parameter fits"
        if len(self.odd_values) == len(self.misfits):
            return f"Change the values of {', '.join(self.misfits)}"
        return f"Only {', '.join(self.accepts)}. Change {', '.join(self.misfits)}"


def sampler_cards(fields: SweepFields) -> list[SamplerCard]:
    """Return every sampling method, and the rows that do not fit it."""
    cards = []
    has_policy = fields.get("policy") not in ("", "none")
    for name in SAMPLERS:
        kind = load_sampler(name)
        odd = [row.name for row in fields.rows if row.type in kind.accepts and _is_odd(row, kind)]
        misfits = [
            row.name or "(unnamed)"
            for row in fields.rows
            if row.type not in kind.accepts or row.name in odd
        ]
        card = SamplerCard(
            name=name,
            label=kind.label,
            help=kind.help,
            accepts=sorted(kind.accepts),
            misfits=misfits,
            glyph=_GLYPHS[name],
            takes_seed=takes_seed(name),
            odd_values=tuple(odd),
            refuses_policy=has_policy and not kind.allows_policy,
            advice="" if misfits else _advice(fields, kind),
        )
        cards.append(card)
    chosen = fields.get("sampling")
    if chosen not in SAMPLERS:
        cards.append(SamplerCard(chosen, chosen, "", [], [], [], is_known=False))
    return cards


def _advice(fields: SweepFields, kind: type[Sampler]) -> str:
    """Say what the budget means for a method that counts or learns; empty where it fits."""
    runs = parse_number(fields.get("max_total_runs"))
    if not isinstance(runs, int) or not fields.rows:
        return ""
    if kind.looks_ahead:
        wanted = RUNS_PER_PARAMETER * len(fields.rows)
        text = f"Plan {wanted} runs or more: {RUNS_PER_PARAMETER} for each parameter"
        return text if runs < wanted else ""
    space = space_of(fields.expressions()) if kind.name == "grid" else None
    size = space.cardinality() if space else None
    if size is None or size <= runs:
        return ""
    return f"{format_count(size)} combinations; the budget ends after {format_count(runs)}"


def _is_odd(row: SpaceRow, kind: type[Sampler]) -> bool:
    """Tell whether a method takes a distribution, but not with these values."""
    try:
        space = SearchSpace.parse({row.name or "unnamed": row.expression()})
    except ProblemsError:
        return False  # its own problem is said at the row
    return any(problem.path.startswith("search_space") for problem in kind.check(space, {}, ""))


# Decoration of the cards: the same 14 to 24 points always.
_GLYPHS: Final[dict[str, list[tuple[float, float]]]] = {
    "random": [
        (12, 40), (28, 12), (41, 33), (55, 46), (63, 19), (79, 8), (88, 37), (101, 25),
        (113, 47), (121, 11), (134, 31), (147, 44), (156, 16), (169, 28),
    ],
    "sobol": [
        (14, 27), (96, 10), (55, 44), (137, 19), (34, 36), (116, 48), (75, 15), (158, 32),
        (24, 12), (106, 29), (65, 23), (147, 46), (45, 8), (127, 40), (86, 38), (168, 21),
    ],
    # A few points everywhere, then ever more around the good ones.
    "bayesian": [
        (14, 38), (48, 12), (92, 44), (160, 40), (30, 20), (140, 8), (104, 18), (112, 26),
        (120, 21), (116, 15), (126, 27), (122, 32), (108, 31), (117, 23), (131, 18), (76, 28),
    ],
    "bayesian_extended": [
        (16, 14), (60, 42), (110, 10), (166, 18), (148, 46), (88, 24), (46, 26), (38, 32),
        (54, 30), (44, 36), (50, 22), (60, 34), (34, 25), (48, 29), (40, 20), (128, 34),
    ],
    "grid": [(14 + (n % 8) * 22, 11 + n // 8 * 16) for n in range(24)],
}  # fmt: skip
