"""Median stopping: stop a run whose best is worse than the median of all running averages.

Source: Azure Machine Learning, "Tune hyperparameters", median stopping policy, after the median
rule of Google Vizier (Golovin et al. 2017, section 3.2.2). Details that Azure leaves open are
settled in docs/policies.md.
"""

from __future__ import annotations

import numpy as np

from experiments.curves import CurveSet, FloatArray, IntArray
from experiments.policies.base import Case, Policy, Verdict, comparison_text, is_worse, runs_text
from experiments.policies.fields import DELAY_EVALUATION, EVALUATION_INTERVAL


class MedianStopping(Policy):
    """Compare the best of a run with the median of the averages; lenient on purpose."""

    name = "median_stopping"
    label = "Median stopping"
    help = "Stop a run whose best value is worse than the median of the running averages."
    fields = (EVALUATION_INTERVAL, DELAY_EVALUATION)

    def judge(self, case: Case) -> Verdict:
        """Stop the run when its best is worse than the median of everybody's mean."""
        goal = case.snapshot.goal
        numbers, means = _finite_means(case.snapshot.curves, case.snapshot.interval)
        if not means.size:
            text = f"best {case.own:.4g}; the averages are too large to compare"
            return Verdict(stop=False, limit=None, text=text)
        limit = float(np.median(means))
        stop = is_worse(goal, case.own, limit, scale=float(np.abs(means).max()))
        own, shown = comparison_text(case.own, limit)
        sign = ("<" if stop else ">=") if goal == "maximize" else (">" if stop else "<=")
        text = (
            f"best {own} {sign} {shown}, the median of the running averages of {runs_text(numbers)}"
        )
        return Verdict(stop=stop, limit=limit, text=text)

    def limit_at(self, goal: str, interval: int, curves: CurveSet) -> float | None:
        """Return the median of the running averages; None when it is not judged there."""
        del goal
        if not self.is_due(interval):
            return None
        _, means = _finite_means(curves, interval)
        return float(np.median(means)) if means.size else None


def _finite_means(curves: CurveSet, interval: int) -> tuple[IntArray, FloatArray]:
    view = curves.mean_at(interval)
    known = np.isfinite(view.values)
    return view.numbers[known], view.values[known]
