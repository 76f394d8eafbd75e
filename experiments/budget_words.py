"""Equal budgets in words: what to wait for and why, who is not compared. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.equal_budget import LEAST_COMPLETED, Advice, Standing
from experiments.formats import format_duration


@dataclass(frozen=True, slots=True)
class AdviceWords:
    """One sentence to act on, and what it rests on."""

    sentence: str
    why: str


def budget_text(budget: float, by: str) -> str:
    """Write a budget: "5 reports", "1 report", "12 min"."""
    if by == "seconds":
        return format_duration(budget)
    return "1 report" if budget == 1 else f"{budget:.0f} reports"


def advice_words(advice: Advice, by: str, own_delay: int | None) -> AdviceWords:
    """Say which delay would have kept the final top; `own_delay` is that of the sweep's policy."""
    top = _top_text(advice.top)
    if advice.delay is None and advice.last_danger is None:
        least = max(LEAST_COMPLETED, 2 * max(1, len(advice.top)))
        count = {0: "No run has", 1: "1 run has"}.get(advice.completed)
        need = f"Advice needs {least} completed runs with a value."
        return AdviceWords(need, f"{count or f'{advice.completed} runs have'} completed so far.")
    if advice.delay is None:
        where = budget_text(advice.last_danger or 0, by)
        sentence = f"No delay would have kept {top}."
        return AdviceWords(
            sentence, f"Run {advice.endangered} was in the worse half up to {where}."
        )
    if not advice.delay:
        sentence = f"No delay was needed to keep {top}."
        return AdviceWords(
            sentence, "None of them was ever in the worse half." + _own(own_delay, 0)
        )
    sentence = f"A delay of {budget_text(advice.delay, by)} would have kept {top}."
    why = (
        f"At {budget_text(advice.last_danger or 0, by)} run {advice.endangered} was "
        f"{advice.rank} of {advice.compared}, in the worse half; from "
        f"{budget_text(advice.delay, by)} on none of them was.{_own(own_delay, advice.delay)}"
    )
    if by == "reports" and advice.step > 1:
        why += f" Every {advice.step:.0f} reports were looked at."
    return AdviceWords(sentence, why)


def standing_words(standing: Standing, by: str) -> str:
    """Say how many runs are compared at a budget, and why others are not."""
    count = len(standing.placed)
    said = f"{count} run{'' if count == 1 else 's'} compared at {budget_text(standing.budget, by)}"
    others = [
        f"{number} {words}"
        for number, words in (
            (standing.ended, "ended before without completing"),
            (standing.behind, "not there yet"),
            (standing.valueless, "without a value"),
        )
        if number
    ]
    return f"{said}; {', '.join(others)}." if others else f"{said}."


def _own(own: int | None, needed: float) -> str:
    if own is None:
        return ""
    is_enough = own >= needed
    return f" The policy of this sweep waits for {own}: {'enough' if is_enough else 'too short'}."


def _top_text(numbers: Sequence[int]) -> str:
    shown = [str(number) for number in numbers]
    if len(shown) < 2:
        return f"the final best (run {shown[0]})" if shown else "the final top"
    return f"the final top {len(shown)} (runs {', '.join(shown[:-1])} and {shown[-1]})"
