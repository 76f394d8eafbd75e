"""All runs of a sweep at one budget, as JSON: ranking, final top, delay, the figure beside it."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from experiments.budget_words import advice_words, budget_text, standing_words
from experiments.charts.equal_budget import agreement_figure
from experiments.equal_budget import EqualBudget
from experiments.models import Sweep
from experiments.policies import make_policy
from experiments.problems import Problem, ProblemsError
from experiments.queries.equal_budget import By, foretold
from experiments.views.charts import bad_request, etag_of
from experiments.views.sweep_head import find_sweep

TOPS: Final = (1, 3, 5, 10)
_SHOWN: Final = 10
_OPTIONS: Final = ("by", "budget", "top")


@require_safe
def equal_budget(request: HttpRequest, sweep_id: str) -> HttpResponseBase:
    """Return everybody at `?budget=`; 304 while neither sweep nor question have changed."""
    sweep = find_sweep(request, sweep_id)
    asked = {str(key): str(value) for key, value in request.GET.items()}
    etag = etag_of(sweep, "equal_budget", asked)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    try:
        by, top, budget = _read(asked)
    except ProblemsError as error:
        return bad_request(error.problems)
    body = json.dumps(_answer(sweep, by, top, budget), separators=(",", ":"), allow_nan=False)
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _read(asked: dict[str, str]) -> tuple[By, int, float | None]:
    problems = [
        Problem(name, f"There is no option {name[:60]!r}; use {', '.join(_OPTIONS)}.")
        for name in asked
        if name not in (*_OPTIONS, "reading", "step")
    ]
    by = asked.get("by") or "reports"
    if by not in ("reports", "seconds"):
        problems.append(Problem("by", f"by is {by[:60]!r}; use reports or seconds."))
    top = asked.get("top") or "3"
    if top not in map(str, TOPS):
        allowed = ", ".join(map(str, TOPS))
        problems.append(Problem("top", f"top is {top[:60]!r}; use one of {allowed}."))
    budget = _number(asked.get("budget", ""))
    if budget is not None and not (math.isfinite(budget) and budget > 0):
        given = asked["budget"][:60]
        problems.append(Problem("budget", f"budget is {given!r}; use a number above 0."))
    if problems:
        raise ProblemsError(problems)
    return ("seconds" if by == "seconds" else "reports"), int(top), budget


def _number(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return math.nan


def _answer(sweep: Sweep, by: By, top: int, asked: float | None) -> dict[str, Any]:
    everybody, agreement, advice = foretold(sweep, by, top)
    budget = _budget(everybody, by, asked, advice.delay)
    standing = everybody.at(budget)
    figure = agreement_figure(agreement, advice, by=by, count=top, budget=budget).to_json()
    policy = make_policy(sweep.spec.get("early_termination"))
    own = policy.delay_evaluation if policy.name != "none" and by == "reports" else None
    words = advice_words(advice, by, own)
    figure["cursor"] = sweep.cursor
    figure["meta"].update(
        summary=words.sentence,
        note=""
        if everybody.completed
        else "No run has completed: there is no end to compare with.",
        decimals=None,
        budget={
            "by": by,
            "value": budget,
            "text": budget_text(budget, by),
            "largest": everybody.largest,
            "top": top,
        },
        advice={"delay": advice.delay, "sentence": words.sentence, "why": words.why},
        standing={
            "words": standing_words(standing, by),
            "compared": len(standing.placed),
            "ranking": [
                [run.number, run.rank, run.value, run.final_rank, run.final_value]
                for run in standing.placed[:_SHOWN]
            ],
            "final": [
                [run.number, run.rank, run.value, run.rank_then]
                for run in everybody.final_top(top, standing)
            ],
        },
    )
    return figure


def _budget(everybody: EqualBudget, by: By, asked: float | None, delay: float | None) -> float:
    """Return the budget to show: what was asked for, else the delay, else half of the largest."""
    largest = max(everybody.largest, 1.0)
    chosen = asked or delay or largest / 2
    return min(float(max(1, round(chosen))) if by == "reports" else chosen, largest)
