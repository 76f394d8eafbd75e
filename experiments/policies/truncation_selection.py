"""Truncation selection: stop the runs in the worst percentage at an interval.

Source: Azure Machine Learning, "Tune hyperparameters", truncation selection policy. Rounding, the
ranked value and ties are not specified there; docs/policies.md says what we chose.
"""

from __future__ import annotations

import numpy as np

from experiments.curves import CurveSet, FloatArray, IntArray, IntervalView, direction
from experiments.policies.base import Case, Policy, Verdict, earlier_text
from experiments.policies.fields import DELAY_EVALUATION, EVALUATION_INTERVAL, FieldSpec


class TruncationSelection(Policy):
    """Rank all runs that reached the interval by their best up to it; the tail is stopped."""

    name = "truncation_selection"
    label = "Truncation selection"
    help = "Stop the worst percentage of the runs at each evaluation."
    fields = (
        FieldSpec(
            name="truncation_percentage",
            kind="int",
            label="Truncation percentage",
            help="Share of the runs to stop at each evaluation, in percent.",
            minimum=1,
            maximum=99,
            required=True,
        ),
        EVALUATION_INTERVAL,
        DELAY_EVALUATION,
        FieldSpec(
            name="exclude_finished_jobs",
            kind="bool",
            label="Leave out finished runs",
            help="Rank only the runs that are still running.",
            default=False,
        ),
    )

    def judge(self, case: Case) -> Verdict:
        """Stop the run when it stands among the worst floor(N * percentage / 100) of N runs."""
        percentage = int(self.config["truncation_percentage"])
        numbers, values = self._ranked(case.snapshot.goal, case.best)
        rank = int(np.flatnonzero(numbers == case.snapshot.run)[0]) + 1
        total = int(numbers.size)
        cut = total * percentage // 100
        limit = float(values[total - cut - 1])
        text = (
            f"best {case.own:.4g} ranks {rank} of {total}{earlier_text(numbers)}, "
            f"and the worst {percentage} % "
            f"are {'no run' if cut == 0 else f'the last {cut}'}"
        )
        return Verdict(stop=rank > total - cut, limit=limit, text=text)

    def limit_at(self, goal: str, interval: int, curves: CurveSet) -> float | None:
        """Return the value of the last run that stays at `interval`; None when all would stay."""
        if not self.is_due(interval):
            return None
        _, values = self._ranked(goal, curves.best_at(interval))
        cut = int(values.size) * int(self.config["truncation_percentage"]) // 100
        return float(values[values.size - cut - 1]) if cut else None

    def _ranked(self, goal: str, best: IntervalView) -> tuple[IntArray, FloatArray]:
        ranked = best.reached & np.isfinite(best.values)
        if self.config["exclude_finished_jobs"]:
            ranked &= ~best.finished
        numbers, values = best.numbers[ranked], best.values[ranked]
        # Stable and best first: of two equal runs the earlier one ranks higher and survives.
        order = np.argsort(-direction(goal) * values, kind="stable")
        return numbers[order], values[order]

    def _summary_parts(self) -> list[str]:
        finished = ["without finished runs"] if self.config["exclude_finished_jobs"] else []
        return [f"worst {self.config['truncation_percentage']} %", *finished]
