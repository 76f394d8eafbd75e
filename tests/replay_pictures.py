"""The drawings of docs/sampling-and-termination.md: plain SVG that follows the reader's theme.

`python -m tests.policy_replays` makes them. The same data give the same text.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

import numpy as np

from experiments.curves import direction
from experiments.policies import make_policy
from experiments.samplers import load_sampler
from experiments.samplers.base import History
from experiments.space.space import SearchSpace
from tests.recorded_sweeps import REPORTS, ROOT
from tests.replayed_sweeps import Family, Outcome, order_of, replay_sweep

IMAGES: Final = ROOT / "docs" / "images"
_SEARCH_PAGE: Final = ROOT / "docs" / "reference" / "search-quality.md"
_SHOWN: Final = {"type": "bandit", "slack_factor": 0.1, "delay_evaluation": 5}
# The colors of static/css/tokens.css: (light, dark).
_COLORS: Final = {
    "surface": ("#ffffff", "#151b23"),
    "line": ("#e0e4e9", "#28323e"),
    "text": ("#15202b", "#e7ecf2"),
    "soft": ("#5f6b7a", "#8f9cac"),
    "run": ("#94a9b8", "#4d6375"),
    "stop": ("#7347ad", "#ab86ea"),
    "best": ("#dd7400", "#ffab2e"),
    "bandit": ("#1c63c8", "#7db0ff"),
    "median": ("#1a7343", "#66c98f"),
    "bad": ("#b92c25", "#ff8d84"),
}
_SHAPES: Final = """
text { font: 15px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--text); }
.head { font-size: 14px; font-weight: 600; }
.title { font-size: 18px; font-weight: 600; }
.soft { fill: var(--soft); font-size: 14px; }
.card { fill: var(--surface); stroke: var(--line); }
.grid { stroke: var(--line); }
.curve { fill: none; stroke: var(--run); stroke-width: 1.1; }
.stopped { fill: none; stroke: var(--stop); stroke-width: 1.1; opacity: .75; }
.leader { fill: none; stroke: var(--best); stroke-width: 2.6; }
.missed { fill: none; stroke: var(--best); stroke-width: 2; stroke-dasharray: 3 4; }
.limit { fill: none; stroke: var(--text); stroke-width: 1.6; stroke-dasharray: 7 5; }
.dot { fill: var(--stop); stroke: var(--surface); }
.run { fill: var(--run); }
"""


class Panel:
    """A plot with axes in one place of the drawing; values outside it are cut off at its edge."""

    def __init__(
        self, box: tuple[float, float, float, float], x: tuple[float, float], y: tuple[float, float]
    ) -> None:
        self.left, self.top, self.width, self.height = box
        self.x_range, self.y_range = x, y
        self.parts: list[str] = []

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point stands in the drawing."""
        across = (x - self.x_range[0]) / (self.x_range[1] - self.x_range[0])
        up = (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0])
        clipped = min(max(up, -0.02), 1.02)
        return self.left + across * self.width, self.top + (1 - clipped) * self.height

    def line(self, points: Iterable[tuple[float, float]], kind: str) -> None:
        """Draw a line through the finite ones of the points."""
        known = [self.place(x, y) for x, y in points if np.isfinite(y)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
        self.parts.append(f'<polyline class="{kind}" points="{path}"/>')

    def dot(self, x: float, y: float, kind: str, radius: float = 3.2, title: str = "") -> None:
        """Draw a dot."""
        across, down = self.place(x, y)
        said = f"<title>{escape(title)}</title>" if title else ""
        self.parts.append(
            f'<circle class="{kind}" cx="{across:.1f}" cy="{down:.1f}" r="{radius}">{said}</circle>'
        )

    def axes(self, xs: Sequence[float], ys: Sequence[float], suffix: str = "") -> None:
        """Draw the ticks, their numbers and the lines of the grid."""
        for y in ys:
            down = self.place(self.x_range[0], y)[1]
            self.parts.append(_rule(self.left, down, self.left + self.width, down))
            self.parts.append(_text(self.left - 7, down + 4, f"{y:g}{suffix}", "soft", "end"))
        for x in xs:
            across = self.place(x, self.y_range[0])[0]
            bottom = self.top + self.height
            self.parts.append(_rule(across, bottom, across, bottom + 4))
            self.parts.append(_text(across, bottom + 18, f"{x:g}{suffix}", "soft", "middle"))

    def title(self, text: str, below: str = "") -> None:
        """Write what the panel shows."""
        self.parts.append(_text(self.left, self.top - (26 if below else 12), text, "title"))
        if below:
            self.parts.append(_text(self.left, self.top - 9, below, "soft"))


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'


def drawing(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    """Return a whole SVG on a card of its own, light or dark as the reader has it."""
    light = "; ".join(f"--{name}: {pair[0]}" for name, pair in _COLORS.items())
    dark = "; ".join(f"--{name}: {pair[1]}" for name, pair in _COLORS.items())
    fills = "".join(f".{name} {{ fill: var(--{name}); }}\n" for name in list(_COLORS)[6:])
    themes = f"svg {{ {light} }}\n@media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}"
    card = f'<rect class="card" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="10"/>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="{escape(label)}">',
            f"<style>{themes}{_SHAPES}{fills}</style>",
            card,
            *parts,
            "</svg>\n",
        ]
    )


# ---------------------------------------------------------------- the four pictures
def draw_pictures(
    families: Mapping[str, Family], outcomes: Mapping[str, Mapping[str, Sequence[Outcome]]]
) -> dict[str, str]:
    """Return the text of every picture by its file name."""
    return {
        "stopped-runs.svg": stopped_runs(families),
        "saved-and-lost.svg": saved_and_lost(families, outcomes),
        "samplers.svg": samplers(),
        "bayesian-and-random.svg": bayesian_and_random(_SEARCH_PAGE.read_text("utf-8")),
    }


def stopped_runs(families: Mapping[str, Family]) -> str:
    """Draw one policy on curves that suit it and on curves that do not."""
    left = _sweep_panel(families["digits"], (64, 66, 400, 290), (0.6, 1.0))
    right = _sweep_panel(families["crossing"], (544, 66, 400, 290), (0.0, 1.0))
    left.axes((1, 10, 20, 30, 40), (0.6, 0.7, 0.8, 0.9, 1.0))
    right.axes((1, 10, 20, 30, 40), (0, 0.2, 0.4, 0.6, 0.8, 1.0))
    policy = make_policy(_SHOWN).summary()
    left.title("It works: a neural network", f"accuracy by report; {_brief(policy)}")
    right.title("It hurts: the best start late", f"score by report; {_brief(policy)}")
    words = [
        (54, "curve", "ran to its end"),
        (210, "stopped", "stopped"),
        (328, "leader", "best run that is left"),
        (526, "missed", "best run of all, stopped"),
        (762, "limit", "limit of the policy"),
    ]
    legend = [
        f'<line class="{kind}" x1="{x}" y1="402" x2="{x + 26}" y2="402"/>{_text(x + 33, 406, text)}'
        for x, kind, text in words
    ]
    label = f"Curves of two sweeps with the limit of a policy: {policy}"
    return drawing(980, 424, label, [*left.parts, *right.parts, *legend])


def _sweep_panel(
    family: Family, box: tuple[float, float, float, float], y: tuple[float, float]
) -> Panel:
    panel = Panel(box, (1, REPORTS), y)
    policy = make_policy(_SHOWN)
    replay = replay_sweep(policy, family, 0)
    values = family.values[order_of(family, 0)[0]]
    ends = [replay.stops.get(run, REPORTS) for run in range(len(values))]
    sign = direction(family.goal)
    best = [float(np.nanmax(sign * row[:end])) for row, end in zip(values, ends, strict=True)]
    leader = int(np.argmax(best))
    for run in sorted(range(len(values)), key=lambda run: run not in replay.stops):
        points = list(enumerate(values[run, : ends[run]], start=1))
        panel.line(points, "stopped" if run in replay.stops else "curve")
    panel.line(policy.limit_line(family.goal, replay.curves), "limit")
    panel.line(list(enumerate(values[leader], start=1)), "leader")
    missed = int(np.argmax(np.nanmax(sign * values, axis=1)))
    if missed in replay.stops:
        panel.line(list(enumerate(values[missed], start=1)), "missed")
    for run, at in replay.stops.items():
        panel.dot(at, float(values[run, at - 1]), "dot")
    return panel


def saved_and_lost(
    families: Mapping[str, Family], outcomes: Mapping[str, Mapping[str, Sequence[Outcome]]]
) -> str:
    """Draw what every policy saved on every family as a bar; its color says what it lost."""
    left, column, row = 266, 118, 27
    parts: list[str] = []
    for place, family in enumerate(families.values()):
        x = left + place * column
        words = family.heading.split(maxsplit=2)
        parts.append(_text(x, 72, " ".join(words[:2]), "head"))
        parts.append(_text(x, 89, " ".join(words[2:]), "head"))
        for line, (policy, rows) in enumerate(list(outcomes[family.name].items())[1:]):
            y = 108 + line * row
            if not place:
                parts.append(_text(24, y + 13, _brief(policy)))
            saved = statistics.median(outcome.saved for outcome in rows)
            kept = sum(outcome.lost == 0 for outcome in rows)
            kind = "median" if kept == len(rows) else "best" if 2 * kept >= len(rows) else "bad"
            lost = "" if kept == len(rows) else f", {kept}"
            said = f"{policy}: {100 * saved:.0f} % saved, best kept in {kept} of {len(rows)}"
            parts.append(
                f'<rect class="{kind}" x="{x}" y="{y}" width="{max(1.5, 54 * saved):.1f}" '
                f'height="15" rx="2"><title>{escape(said)}</title></rect>'
                + _text(x + 54 * saved + 5, y + 13, f"{100 * saved:.0f} %{lost}", "soft")
            )
    parts.append(_text(24, 36, "Compute saved, and best runs kept", "title"))
    legend = (
        ("median", "in all 20 sweeps"),
        ("best", "in 10 to 19"),
        ("bad", "in fewer"),
    )
    for x, (kind, text) in zip((500, 670, 800), legend, strict=True):
        parts.append(f'<rect class="{kind}" x="{x}" y="24" width="15" height="15" rx="2"/>')
        parts.append(_text(x + 21, 36, text))
    return drawing(980, 476, "What thirteen policies saved and lost on six sets of curves", parts)


def _brief(policy: str) -> str:
    """Return the summary of a policy without what all of them say."""
    for long, short in (
        (" selection, worst", ""),
        (", slack factor", ""),
        ("every interval from", "from"),
        ("every interval", "from 1"),
        ("every 10 from 10", "every 10"),
        ("every 5 from 5", "every 5"),
    ):
        policy = policy.replace(long, short)
    return policy


def samplers() -> str:
    """Draw 64 configurations of two hyperparameters as three samplers give them."""
    free = {"learning_rate": "uniform(0, 1)", "momentum": "uniform(0, 1)"}
    steps = ", ".join(f"{(2 * n + 1) / 16:g}" for n in range(8))
    listed = dict.fromkeys(free, f"choice({steps})")
    parts: list[str] = []
    for place, (name, raw) in enumerate((("random", free), ("sobol", free), ("grid", listed))):
        kind = load_sampler(name)
        sampler = kind(SearchSpace.parse(raw), goal="maximize", seed=5)
        points = [s.params for s in sampler.suggest(History(0), 64)]
        box = (40 + place * 312, 66, 268, 268)
        panel = Panel(box, (0, 1), (0, 1))
        panel.parts.append(_frame(panel))
        panel.title(kind.label, f"64 runs, {_distinct(points)} learning rates")
        for point in points:
            panel.dot(point["learning_rate"], point["momentum"], "bandit", 3.6)
            place_of = f'x="{panel.place(point["learning_rate"], 0)[0] - 0.8:.1f}" y="342"'
            panel.parts.append(f'<rect class="best" {place_of} width="1.6" height="12"/>')
        parts += panel.parts
    text = "marks below: all values of one of the two, which are what counts if the other does not"
    parts.append(_text(40, 378, text, "soft"))
    return drawing(980, 396, "64 configurations by random, Sobol and grid sampling", parts)


def _frame(panel: Panel) -> str:
    size = f'width="{panel.width}" height="{panel.height}"'
    return f'<rect class="card" x="{panel.left}" y="{panel.top}" {size}/>'


def _distinct(points: Sequence[Mapping[str, Any]]) -> int:
    return len({point["learning_rate"] for point in points})


def bayesian_and_random(page: str) -> str:
    """Draw the table of real sweeps that docs/reference/search-quality.md has."""
    rows = dict(re.findall(r"^\| (best accuracy after|random|bayesian) \| (.+) \|$", page, re.M))
    runs = [int(cell.split()[0]) for cell in rows["best accuracy after"].split("|")]
    panel = Panel((74, 66, 840, 250), (5, 60), (0.83, 0.94))
    panel.axes((5, 10, 20, 30, 40, 50, 60), (0.84, 0.86, 0.88, 0.9, 0.92))
    panel.title("Best accuracy so far by runs", "digits, real sweeps, mean of five seeds")
    for name, kind in (("random", "curve"), ("bayesian", "leader")):
        values = [float(cell) for cell in rows[name].split("|")]
        points = list(zip(runs, values, strict=True))
        panel.line(points, kind)
        for x, y in points:
            panel.dot(x, y, "run" if name == "random" else "best", 4)
        across, down = panel.place(30, dict(points)[30])
        panel.parts.append(_text(across + 8, down + (22 if name == "random" else -12), name))
    return drawing(980, 356, "Best accuracy by runs, Bayesian and random sampling", panel.parts)
