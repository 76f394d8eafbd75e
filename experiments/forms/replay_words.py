"""The sentences below the picture of a replayed policy."""

from __future__ import annotations

from typing import Any

from experiments.formats import format_count, format_duration, format_metric, format_share
from experiments.policies.base import Policy
from experiments.policies.replay import ReplayResult
from experiments.queries.replay_source import ReplayCurves


def outcome_words(
    policy: Policy, result: ReplayResult, runs: int, seconds: tuple[float, float] | None
) -> list[dict[str, Any]]:
    """Return short texts with a tone ("", "good", "bad"): runs stopped, saved, the best run."""
    if policy.name == "none":
        return [_word(f"All {runs} runs go on to their end.")]
    words = [_word(f"{len(result.stops)} of {runs} runs stopped")]
    cut = result.reports_total - result.reports_kept
    tone = "good" if cut else ""
    words.append(_word(f"{format_share(cut, result.reports_total)} of the reports saved", tone))
    if seconds is not None and cut and seconds[1] >= 1:
        whole, saved = seconds
        text = f"{format_duration(saved)} of {format_duration(whole)} run time saved"
        words.append(_word(text, "good"))
    return [*words, *_best_word(result)]


def source_notes(known: ReplayCurves) -> list[str]:
    """Return what is to be known about the curves of a sweep."""
    notes = []
    shown = len(known.curves)
    if shown < known.runs:
        notes.append(f"{shown} of {format_count(known.runs)} runs, evenly chosen, with the best.")
    if known.stopped:
        were = "1 was" if known.stopped == 1 else f"{known.stopped} were"
        notes.append(
            f"{were} stopped early in that sweep: what they would have reached is not known."
        )
    return notes


def _best_word(result: ReplayResult) -> list[dict[str, Any]]:
    if result.best_value is None:
        return []
    if result.best_survives:
        return [_word("best run kept", "good")]
    if result.kept_value is None:
        return [_word("best run lost", "bad")]
    best, kept = (format_metric(value) for value in (result.best_value, result.kept_value))
    return [_word(f"best run lost: {kept} instead of {best}", "bad")]


def _word(text: str, tone: str = "") -> dict[str, Any]:
    return {"text": text, "tone": tone}
