"""Bandit: stop a run whose best is further behind the leader than a slack allows.

Source: Azure Machine Learning, "Tune hyperparameters", bandit policy. Azure states the formulas for
maximize only; minimize mirrors them, and leaders below zero are ours too (docs/policies.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from experiments.curves import CurveSet, direction
from experiments.policies.base import Case, Policy, Verdict, comparison_text, is_worse, runs_text
from experiments.policies.fields import (
    DELAY_EVALUATION,
    EVALUATION_INTERVAL,
    FieldSpec,
    check_fields,
)
from experiments.problems import Problem


class Bandit(Policy):
    """Compare the best of a run with the best of all runs at the same interval."""

    name = "bandit"
    label = "Bandit"
    help = "Stop a run whose best value is not within the slack of the best run."
    fields = (
        FieldSpec(
            name="slack_factor",
            kind="float",
            label="Slack factor",
            help="Allowed distance from the best run, as a ratio: 0.1 allows best / 1.1.",
            minimum=0,
        ),
        FieldSpec(
            name="slack_amount",
            kind="float",
            label="Slack amount",
            help="Allowed distance from the best run, in units of the metric.",
            minimum=0,
        ),
        EVALUATION_INTERVAL,
        DELAY_EVALUATION,
    )

    @classmethod
    def check(cls, config: Mapping[str, Any], path: str) -> list[Problem]:
        """Return every problem; exactly one of the two slacks must be given, and 0 is given."""
        problems = check_fields(cls.fields, config, path)
        factor, amount = config.get("slack_factor"), config.get("slack_amount")
        if factor is None and amount is None:
            text = "slack_factor and slack_amount are both missing; give one of them."
            problems.append(Problem(f"{path}.slack_factor", text))
        elif factor is not None and amount is not None:
            text = (
                f"slack_factor is {factor!r} and slack_amount is {amount!r}; "
                "only one of them can hold. Remove the other."
            )
            problems.append(Problem(f"{path}.slack_amount", text))
        return problems

    def judge(self, case: Case) -> Verdict:
        """Stop the run when its best is worse than the leader's best by more than the slack."""
        goal = case.snapshot.goal
        limit = self._limit(goal, case.leader_value)
        if not math.isfinite(limit):
            text = f"best {case.own:.4g}; the slack reaches beyond every number"
            return Verdict(stop=False, limit=None, text=text)
        if case.leader == case.snapshot.run:
            text = f"best {case.own:.4g} is the best of {runs_text(case.best.numbers)}"
            return Verdict(stop=False, limit=limit, text=text)
        stop = is_worse(goal, case.own, limit, scale=case.leader_value)
        own, shown = comparison_text(case.own, limit)
        sign = ("<" if stop else ">=") if goal == "maximize" else (">" if stop else "<=")
        formula = self._formula_text(goal, case.leader_value)
        text = f"best {own} {sign} {formula} = {shown} of {case.snapshot.text_of(case.leader)}"
        return Verdict(stop=stop, limit=limit, text=text)

    def limit_at(self, goal: str, interval: int, curves: CurveSet) -> float | None:
        """Return the worst value that survives at `interval`; None when it is not judged there."""
        if not self.is_due(interval):
            return None
        leaders = curves.leaders()
        if not leaders.size:
            return None
        # A run that reports no more keeps its best. No leader yet: no limit either.
        limit = self._limit(goal, float(leaders[min(interval, leaders.size) - 1]))
        return limit if math.isfinite(limit) else None

    def _limit(self, goal: str, leader: float) -> float:
        sign = direction(goal)
        if self.config["slack_amount"] is not None:
            return leader - sign * float(self.config["slack_amount"])
        factor = float(self.config["slack_factor"])
        if sign < 0:
            return leader + abs(leader) * factor
        if leader >= 0:
            return leader / (1 + factor)
        # best / (1 + f) would lie above a negative best and stop the leader itself.
        return leader - abs(leader) * factor / (1 + factor)

    def _formula_text(self, goal: str, leader: float) -> str:
        value = f"{leader:.4g}"
        if self.config["slack_amount"] is not None:
            return f"{value} {'-' if goal == 'maximize' else '+'} {self.config['slack_amount']:g}"
        factor = f"{self.config['slack_factor']:g}"
        if leader >= 0:
            return f"{value} {'/' if goal == 'maximize' else '*'} (1 + {factor})"
        size = f"{abs(leader):.4g}"
        if goal == "minimize":
            return f"{value} + {size} * {factor}"
        return f"{value} - {size} * {factor} / (1 + {factor})"

    def _summary_parts(self) -> list[str]:
        if self.config["slack_amount"] is not None:
            return [f"slack amount {self.config['slack_amount']:g}"]
        return [f"slack factor {self.config['slack_factor']:g}"]
