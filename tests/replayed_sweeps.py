"""Sweeps replayed on curves known to the end: what a policy saves and what it loses.

Decisions are made by the code that decides live; a stopped run frees its slot for the next
configuration, as in a sweep. Pure core only. `tests.policy_replays` makes the tables of the docs.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.curves import CurveSet, direction
from experiments.learning_curves import as_score, learning_curve
from experiments.policies import make_policy
from experiments.policies.base import Policy, Snapshot
from tests.recorded_sweeps import REPORTS, ROOT, RUNS, load_recorded

OUTCOMES: Final = ROOT / "tests" / "golden" / "policy_replays.json"
SWEEPS, SLOTS = 20, 4
# The compute of twenty whole runs: what a sweep of limited time has.
BUDGET: Final = 20 * REPORTS
_SEED: Final = 7


def _policy(kind: str, delay: int, every: int = 1, **settings: Any) -> dict[str, Any]:
    timing = {"evaluation_interval": every, "delay_evaluation": delay}
    return {"type": kind, **settings, **timing}


POLICIES: Final[tuple[dict[str, Any], ...]] = (
    _policy("bandit", 5, slack_factor=0.05),
    _policy("bandit", 0, slack_factor=0.1),
    _policy("bandit", 5, slack_factor=0.1),
    _policy("bandit", 20, slack_factor=0.1),
    _policy("bandit", 5, slack_factor=0.2),
    _policy("bandit", 5, slack_factor=0.5),
    _policy("median_stopping", 0),
    _policy("median_stopping", 5),
    _policy("median_stopping", 20),
    _policy("truncation_selection", 5, truncation_percentage=20),
    _policy("truncation_selection", 10, 10, truncation_percentage=20),
    _policy("truncation_selection", 10, 10, truncation_percentage=50),
    _policy("truncation_selection", 5, 5, truncation_percentage=80),
)


@dataclass(frozen=True, slots=True)
class Family:
    """Sixty curves of forty reports; `heading` is where the page tells about them."""

    name: str
    heading: str
    goal: str
    values: NDArray[np.float64]

    def best_of_runs(self) -> NDArray[np.float64]:
        """Return the best value of each run, larger is better: `(60,)`."""
        best: NDArray[np.float64] = np.nanmax(direction(self.goal) * self.values, axis=1)
        return best


@dataclass(frozen=True, slots=True)
class Outcome:
    """One sweep with a policy beside the same sweep without one.

    `lost` and `at_budget` are distances from the best of all sixty runs, as shares of its lead over
    the median run: of the whole sweep, and of what the compute of twenty whole runs had found.
    """

    saved: float
    stopped: int
    lost: float
    at_budget: float


@dataclass(frozen=True, slots=True)
class Replay:
    """A replayed sweep: where runs were stopped, and the best after every report of anybody."""

    stops: Mapping[int, int]
    best_so_far: NDArray[np.float64]
    curves: CurveSet


def load_families() -> dict[str, Family]:
    """Return recorded and generated curves, in the order of the page."""
    recorded = load_recorded()
    headings = {
        "digits": "A neural network",
        "boosting": "Boosted trees",
        "online": "A noisy metric",
    }
    found = [
        Family(name, heading, recorded[name].goal, recorded[name].values)
        for name, heading in headings.items()
    ]
    found.append(Family("falling", "Curves that keep order", "minimize", _made("power_law")))
    found.append(Family("blowing-up", "Runs that blow up", "minimize", _made("diverging", every=3)))
    late = as_score(_made("crossing"))
    found.append(Family("crossing", "Curves that cross", "maximize", late))
    return {family.name: family for family in found}


def _made(kind: str, every: int = 1) -> NDArray[np.float64]:
    """Return generated losses; with `every` only each third run, say, is of this kind."""
    quality = np.random.default_rng(_SEED).uniform(size=RUNS)
    return np.array(
        [
            learning_curve(
                "power_law" if number % every else kind, quality[number], REPORTS,
                seed=_SEED, number=number,
            )
            for number in range(RUNS)
        ]
    )  # fmt: skip


# ---------------------------------------------------------------- one sweep
def order_of(family: Family, sweep: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return in which order the configurations come, and how long a report of each takes."""
    rng = np.random.default_rng((zlib.crc32(family.name.encode()), sweep))
    return rng.permutation(RUNS), rng.lognormal(0.0, 0.2, RUNS)


def replay_sweep(policy: Policy, family: Family, sweep: int, slots: int = SLOTS) -> Replay:
    """Run one sweep on curves that are known: the next run starts when a slot is free."""
    order, paces = order_of(family, sweep)
    curves = CurveSet(family.goal)
    sign = direction(family.goal)
    stops: dict[int, int] = {}
    best, track = -np.inf, []
    queue = [(paces[run], run, 1) for run in range(slots)]
    waiting = iter(range(slots, RUNS))
    heapq.heapify(queue)
    while queue:
        now, run, interval = heapq.heappop(queue)
        value = float(family.values[order[run], interval - 1])
        curves.append(run, [value])
        best = max(best, sign * value) if np.isfinite(value) else best
        track.append(best)
        # Nothing is left to be saved of a run that has made its last report.
        ended = interval == REPORTS
        if not ended and policy.is_due(interval):
            ended = policy.decide(Snapshot(curves, run, interval)).stop
            if ended:
                stops[run] = interval
        if not ended:
            heapq.heappush(queue, (now + paces[run], run, interval + 1))
            continue
        curves.set_finished(run)
        if (following := next(waiting, None)) is not None:
            heapq.heappush(queue, (now + paces[following], following, 1))
    return Replay(stops, np.array(track), curves)


def outcome_of(policy: Policy, family: Family, sweep: int) -> Outcome:
    """Replay one sweep and compare it with the whole curves."""
    replay = replay_sweep(policy, family, sweep)
    runs, track = family.best_of_runs(), replay.best_so_far
    lead = float(runs.max() - np.median(runs))
    at = min(BUDGET, track.size) - 1
    return Outcome(
        saved=round(1 - track.size / family.values.size, 4),
        stopped=len(replay.stops),
        lost=round(float(runs.max() - track[-1]) / lead, 4),
        at_budget=round(float(runs.max() - track[at]) / lead, 4),
    )


def all_outcomes(families: Mapping[str, Family]) -> dict[str, dict[str, list[Outcome]]]:
    """Return the outcomes of every sweep by family and policy; the first row has no policy."""
    policies = [make_policy(config) for config in (None, *POLICIES)]
    return {
        family.name: {
            policy.summary(): [outcome_of(policy, family, n) for n in range(SWEEPS)]
            for policy in policies
        }
        for family in families.values()
    }


# ---------------------------------------------------------------- kept outcomes and tables
def load_outcomes() -> dict[str, dict[str, list[Outcome]]]:
    """Return what was kept of the last whole replay."""
    stored = json.loads(OUTCOMES.read_text("utf-8"))
    return {
        family: {policy: [Outcome(*row) for row in rows] for policy, rows in table.items()}
        for family, table in stored.items()
    }


def keep_outcomes(outcomes: Mapping[str, Mapping[str, Sequence[Outcome]]]) -> None:
    """Store the outcomes, a line for each policy."""
    plain = {
        family: {
            policy: [[row.saved, row.stopped, row.lost, row.at_budget] for row in rows]
            for policy, rows in table.items()
        }
        for family, table in outcomes.items()
    }
    text = json.dumps(plain, separators=(",", ":"))
    OUTCOMES.write_text(text.replace("]],", "]],\n").replace("]]},", "]]},\n") + "\n", "utf-8")
