"""How a sweep ends when all its runs have: which state, why, and the sentence about it."""

from __future__ import annotations

from typing import Final

from django.db.models import Count, QuerySet

from experiments.models import MetricSeries, Run, Sweep
from experiments.services.outcome import names_text
from experiments.states import EndReason, RunState, SweepState

_MAX_QUOTE: Final = 300


def end_of_sweep(sweep: Sweep) -> tuple[SweepState, EndReason, str]:
    """Return state, end reason and sentence of a sweep none of whose runs is active."""
    runs = Run.objects.filter(sweep=sweep)
    total, failed = runs.count(), runs.filter(state=RunState.FAILED).count()
    if sweep.sampler_error:
        return SweepState.FAILED, EndReason.SAMPLER_ERROR, sweep.sampler_error
    if total and failed == total:
        return SweepState.FAILED, EndReason.ALL_RUNS_FAILED, _all_failed(sweep, total)
    result = _result(sweep)
    if sweep.is_exhausted and sweep.sampled < sweep.max_total_runs:
        sentence = f"{_exhausted(sweep)} (max_total_runs is {sweep.max_total_runs}). {result}"
        return SweepState.COMPLETED, EndReason.SPACE_EXHAUSTED, sentence
    return SweepState.COMPLETED, EndReason.MAX_RUNS, f"{_tally(sweep)} {result}"


def end_again(sweep: Sweep) -> tuple[SweepState, EndReason, str]:
    """Return the end of a canceled sweep whose repeated runs have ended: the one it had."""
    since = Run.objects.filter(sweep=sweep, retries__isnull=True, origin=Run.Origin.RETRY)
    if sweep.resumed_at is not None:
        since = since.filter(created_at__gte=sweep.resumed_at)
    how = ", ".join(f"{n} {word}" for word, n in _counts(since).items() if n)
    sentence = f"{sweep.kept_reason} Runs repeated since: {how or 'none'}."
    return SweepState.CANCEL_REQUESTED, EndReason(sweep.kept_end_reason), sentence


def breaker_sentence(limit: int, last: Run) -> str:
    """Say why the sweep was paused after so many failures in a row."""
    return (
        f"The last {limit} runs failed in a row (max_failed_runs is {limit}), "
        f"run {last.number} with: {_quote(last.reason)}"
    )


def _tally(sweep: Sweep) -> str:
    """Say how many runs there were, and how they ended where not all of them completed."""
    if sweep.sampled == 1:
        return "The only run ended."
    # A lost run and its repetition are one run here: the last attempt speaks for both.
    counts = _counts(Run.objects.filter(sweep=sweep, retries__isnull=True))
    parts = [f"{n} {word}" for word, n in counts.items() if n]
    how = "" if parts[0] == f"{sweep.sampled} completed" else f": {', '.join(parts)}"
    return f"All {sweep.sampled} runs ended{how}."


def _counts(runs: QuerySet[Run]) -> dict[str, int]:
    early = runs.filter(state=RunState.CANCELED, end_reason=EndReason.POLICY).count()
    failed = runs.filter(state=RunState.FAILED)
    preempted = failed.filter(end_reason=EndReason.PREEMPTED).count()
    return {
        "completed": runs.filter(state=RunState.COMPLETED).count(),
        "stopped early": early,
        "canceled": runs.filter(state=RunState.CANCELED).count() - early,
        "failed": failed.count() - preempted,
        "preempted": preempted,
    }


def _exhausted(sweep: Sweep) -> str:
    runs = Run.objects.filter(sweep=sweep)
    by_hand = runs.filter(origin=Run.Origin.HAND).count()
    resumed = runs.filter(origin=Run.Origin.RESUMED).count()
    if others := by_hand + resumed:
        text = f"{others} of {sweep.sampled} runs were" if others > 1 else "one run was"
        how = " or ".join(
            word for word, n in (("queued by hand", by_hand), ("resumed", resumed)) if n
        )
        return f"Every configuration of the search space was run; {text} {how}"
    if sweep.sampled == 1:
        return "The search space has only one configuration, and it was run"
    return f"The search space has only {sweep.sampled} configurations, and all of them were run"


def _result(sweep: Sweep) -> str:
    best = sweep.best_run
    if best is None or sweep.best_value is None:
        return _no_metric(sweep)
    return f"Best {sweep.metric_name} {sweep.best_value:.6g} by run {best.number}."


def _all_failed(sweep: Sweep, total: int) -> str:
    most = (
        Run.objects.filter(sweep=sweep)
        .order_by()
        .values_list("reason")
        .annotate(n=Count("pk"))
        .order_by("-n", "reason")[0]
    )
    reason, n = _quote(most[0]), most[1]
    if total == 1:
        sentence = f"The only run failed: {reason}"
    elif n == total:
        sentence = f"All {total} runs failed, each with: {reason}"
    else:
        sentence = f"All {total} runs failed, {n} of them with: {reason}"
    if sweep.best_run_id is not None:
        return sentence
    return f"{sentence.rstrip('.')}. {_no_metric(sweep)}"


def _no_metric(sweep: Sweep) -> str:
    metric = sweep.metric_name
    logged = MetricSeries.objects.filter(run__sweep=sweep)
    if logged.filter(name=metric).exists():
        return f'No run logged a finite value of "{metric}".'
    names = list(logged.order_by("name").values_list("name", flat=True).distinct())
    if not names:
        return f'No run logged "{metric}", nor any other metric.'
    return (
        f'No run logged "{metric}". They logged: {names_text(names)}. The name must match exactly.'
    )


def _quote(text: str) -> str:
    return text if len(text) <= _MAX_QUOTE else f"{text[: _MAX_QUOTE - 1]}…"
