"""The tables and pictures of docs/sampling-and-termination.md, from replays.

`python -m tests.policy_replays` replays every policy on every family of curves (about two
minutes), keeps the outcomes in tests/golden/policy_replays.json and rewrites tables and pictures;
`--keep` makes them of the kept outcomes. tests/core/test_policy_replays.py proves that they agree.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from experiments.policies import make_policy
from tests.recorded_sweeps import ROOT, RUNS
from tests.replay_pictures import IMAGES, draw_pictures
from tests.replayed_sweeps import (
    SWEEPS,
    Family,
    Outcome,
    all_outcomes,
    keep_outcomes,
    load_families,
    load_outcomes,
)

PAGE: Final = ROOT / "docs" / "sampling-and-termination.md"
SUMMARY: Final = "What each policy saved and lost"
NONE: Final = make_policy(None).summary()
Outcomes = Mapping[str, Mapping[str, Sequence[Outcome]]]


def summary_table(families: Mapping[str, Family], outcomes: Outcomes) -> str:
    """Return saved compute and how often the best value was still found, by policy and family."""
    heads = [family.heading for family in families.values()]
    lines = ["| policy | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for policy in list(outcomes[next(iter(families))])[1:]:
        cells = [_brief(outcomes[name][policy]) for name in families]
        lines.append(f"| {policy} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _brief(rows: Sequence[Outcome]) -> str:
    return f"{_percent(row.saved for row in rows)}, {_kept(rows)}/{len(rows)}"


def family_table(table: Mapping[str, Sequence[Outcome]]) -> str:
    """Return everything about the policies on one family."""
    lines = [
        "| policy | saved | stopped | best kept | lost, median / worst | with equal compute |",
        "|---|---|---|---|---|---|",
    ]
    for policy, rows in table.items():
        if policy == NONE:
            equal = _percent(row.at_budget for row in rows)
            lines.append(f"| none | 0 % | 0 of {RUNS} | {SWEEPS} of {SWEEPS} | 0 / 0 % | {equal} |")
            continue
        lost = [row.lost for row in rows]
        cells = [
            policy,
            _percent(row.saved for row in rows),
            f"{statistics.median(row.stopped for row in rows):.0f} of {RUNS}",
            f"{_kept(rows)} of {len(rows)}",
            f"{100 * statistics.median(lost):.0f} / {100 * max(lost):.0f} %",
            _equal(rows, table[NONE]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _kept(rows: Sequence[Outcome]) -> int:
    return sum(row.lost == 0 for row in rows)


def _percent(shares: Iterable[float]) -> str:
    return f"{100 * statistics.median(shares):.0f} %"


def _equal(rows: Sequence[Outcome], without: Sequence[Outcome]) -> str:
    """Return the distance with equal compute, and in how many sweeps it is smaller or larger."""
    pairs = [(a.at_budget, b.at_budget) for a, b in zip(rows, without, strict=True)]
    better, worse = sum(a < b for a, b in pairs), sum(a > b for a, b in pairs)
    return f"{_percent(a for a, _ in pairs)} (+{better} -{worse})"


def tables(families: Mapping[str, Family], outcomes: Outcomes) -> dict[str, str]:
    """Return the tables of the page by the heading that they stand below."""
    found = {SUMMARY: summary_table(families, outcomes)}
    return found | {f.heading: family_table(outcomes[name]) for name, f in families.items()}


def with_tables(page: str, made: Mapping[str, str]) -> str:
    """Return the page with the first table below each heading replaced."""
    for heading, table in made.items():
        below = rf"\n#+ {re.escape(heading)}\n(?:(?!\n\||\n#).)*\n((?:\|[^\n]*\n)+)"
        found = re.search(below, page, re.DOTALL)
        if found is None:
            raise SystemExit(f"{PAGE.name} has no table below {heading!r}; make one of one line.")
        page = f"{page[: found.start(1)]}{table}\n{page[found.end(1) :]}"
    return page


def main() -> None:
    """Replay, keep, and write tables and pictures."""
    families = load_families()
    if "--keep" not in sys.argv[1:]:
        keep_outcomes(all_outcomes(families))
    outcomes = load_outcomes()
    PAGE.write_text(with_tables(PAGE.read_text("utf-8"), tables(families, outcomes)), "utf-8")
    for name, picture in draw_pictures(families, outcomes).items():
        (IMAGES / name).write_text(picture, "utf-8")
        print(f"docs/images/{name}: {len(picture):,} bytes")


if __name__ == "__main__":
    main()
