"""The table of `make bench`: printed, and kept in docs/benchmarks.md between two marks.

A run of some parts replaces the rows of these parts only; the others stay, with their own date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench_table import Figure, beside, is_behind, standing, written

BEGIN = "<!-- measured (begin), written by make bench -->"
END = "<!-- measured (end) -->"
_HEADS = ["part", "what", "studio", "floor", "must", "aim", "verdict", "others", "note"]
_WHEN_HEADS = ["part", "measured", "commit", "load average before", "took", "command"]
Row = list[str]


@dataclass(frozen=True, slots=True)
class Session:
    """What one part brought, and how it was measured."""

    part: str
    figures: Sequence[Figure]
    when: str
    commit: str
    load: float
    seconds: float
    command: str

    @property
    def row(self) -> Row:
        """Return the row that says when and how."""
        took = f"{self.seconds:.0f} s"
        return [self.part, self.when, self.commit, f"{self.load:.1f}", took, f"`{self.command}`"]


def rows_of(part: str, figures: Sequence[Figure]) -> list[Row]:
    """Return the rows of one part: ours, with all others that did the same."""
    own = {figure.what: figure for figure in figures if not figure.who}
    rows = []
    for what in dict.fromkeys(figure.what for figure in figures):
        ours = own.get(what, Figure(what, None))
        peers = [figure for figure in figures if figure.who and figure.what == what]
        ahead = [peer.who for peer in peers if is_behind(ours, peer)]
        verdict = "; ".join([*filter(None, [ours.verdict]), *(f"behind {name}" for name in ahead)])
        others = "; ".join(beside(ours, peer) for peer in peers)
        targets = [ours.target(ours.must), ours.target(ours.aim)]
        row = [part, what, ours.text, _floor(ours), *targets, verdict, others, ours.note]
        rows.append([_cell(text) for text in row])
    return rows


def table(heads: Sequence[str], rows: Iterable[Row]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def printed(sessions: Sequence[Session], facts: Mapping[str, str]) -> str:
    """Return everything that one run of the command measured, for a terminal."""
    figures = [figure for session in sessions for figure in session.figures]
    rows = [row for session in sessions for row in rows_of(session.part, session.figures)]
    missed = [figure.what for figure in figures if not figure.who and figure.is_missed]
    lines = [*(f"{name}: {text}" for name, text in facts.items()), "", *table(_HEADS, rows), ""]
    lines += [*standing(figures), f"Missed: {'; '.join(missed) or 'nothing'}."]
    return "\n".join(lines)


def rewritten(
    page: str, sessions: Sequence[Session], facts: Mapping[str, str], order: Sequence[str]
) -> str:
    """Return the page with the rows of these parts in place of older ones of the same parts.

    Raises:
        ValueError: the page has not both marks.
    """
    head, begin, rest = page.partition(BEGIN)
    old, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page has no marks; put {BEGIN!r} and {END!r} where the table is.")
    fresh = {session.part for session in sessions}
    rows = [row for row in read_rows(old, _HEADS) if row[0] not in fresh]
    rows += [row for session in sessions for row in rows_of(session.part, session.figures)]
    whens = [row for row in read_rows(old, _WHEN_HEADS) if row[0] not in fresh]
    whens += [session.row for session in sessions]
    known = [*order, *sorted({row[0] for row in (*rows, *whens)} - set(order))]
    for one in (rows, whens):
        one.sort(key=lambda row: known.index(row[0]))
    block = [f"- {name}: {text}" for name, text in facts.items()]
    block += ["", *table(_HEADS, rows), "", verdicts(rows), "", *table(_WHEN_HEADS, whens)]
    return "\n".join([head.rstrip("\n"), "", begin, "", *block, "", end]) + tail


def verdicts(rows: Sequence[Row]) -> str:
    """Return one sentence that counts what was met, with everything that was missed."""
    judged = [row for row in rows if row[6].startswith(("met", "missed"))]
    missed = [row[1] for row in judged if row[6].startswith("missed")]
    aimed = sum(row[6].startswith("met, aim too") for row in judged)
    text = f"Of {len(judged)} rows with a target {len(judged) - len(missed)} are met"
    broken = [f"{row[1]} ({row[0]})" for row in rows if "failed: " in row[7] + row[8]]
    names = f"{text} ({aimed} with the aim). Missed: {'; '.join(missed) or 'none'}."
    return f"{names} Not measured, with the reason in the row: {'; '.join(broken) or 'none'}."


def read_rows(text: str, heads: Sequence[str]) -> list[Row]:
    """Return the rows of the table with these heads, as they stand in a page."""
    found: list[Row] = []
    is_inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            is_inside = False
        elif _cells(line) == list(heads):
            is_inside = True
        elif is_inside and not line.startswith("| ---"):
            found.append(_cells(line))
    return found


def _cells(line: str) -> Row:
    return [cell.strip() for cell in line.strip()[1:-1].split("|")]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def _floor(figure: Figure) -> str:
    if not figure.floor:
        return ""
    times = f" ({figure.value / figure.floor:.1f} x)" if figure.value else ""
    return f"{written(figure.floor, figure.unit)}{times}"
