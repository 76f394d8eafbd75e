"""Search: one page for sweeps, runs and models of all workspaces of a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from experiments import clock
from experiments.models import Run, Sweep
from experiments.problems import ProblemsError
from experiments.queries.page import Page
from experiments.queries.search import KINDS, Search, SweepHit
from experiments.queries.search_context import found_in_run, found_in_sweep
from experiments.queries.search_json import first_results
from experiments.search_terms import SearchTerms, read_search
from experiments.views.parts import once

PAGE_SIZE: Final = 50
# Of each kind as long as all of them are shown.
FIRST_ROWS: Final = 8
_QUICK_ROWS: Final = 5
_LABELS: Final = {"sweeps": "Sweeps", "runs": "Runs", "models": "Models"}
_MOST_OFFSET: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class FoundSweep:
    """A sweep with the text in which a word was found, when its name does not show it."""

    hit: SweepHit
    where: str
    runs_url: str

    @property
    def sweep(self) -> Sweep:
        """Return the sweep itself."""
        return self.hit.sweep


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run with the hyperparameters that were asked for, or its first ones."""

    run: Run
    params: list[tuple[str, str]]
    where: str


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one kind. `more_url` shows the next or all of them, "" when these are all."""

    kind: str
    label: str
    rows: Callable[[], Sequence[Any]]
    page: Page[Any]
    more_url: str
    previous_url: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind, or all of them, with how many there are."""

    kind: str
    label: str
    url: str
    count: int | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, or what of the search cannot be read."""

    words: Sequence[str] = ()
    groups: Sequence[Group] = ()
    total: int = 0
    tabs: Sequence[Tab] = ()
    problems: Sequence[str] = ()


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show what was found; with the header X-Fragment only the results."""
    text = request.GET.get("q", "").strip()
    asked = request.GET.get("kind", "")
    kind = asked if asked in KINDS else ""
    context = {"text": text, "kind": kind, "results": once(lambda: _results(request, text, kind))}
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_search_results.html" if is_fragment else "experiments/search.html"
    return render(request, name, context)


@require_safe
def quick(request: HttpRequest) -> HttpResponse:
    """Return the first results as JSON for the box of the top bar, or what is wrong so far.

    Half a condition is no error yet: somebody is typing it.
    """
    try:
        terms = read_search(request.GET.get("q", "").strip())
        found = first_results(Search(request.user, terms, clock.now()), _QUICK_ROWS)
    except ProblemsError as error:
        return JsonResponse({"problem": error.problems[0].message})
    return JsonResponse(found)


def search_url(text: str, kind: str = "", offset: int = 0) -> str:
    """Return the address of a search."""
    values = {"q": text, "kind": kind, "offset": offset or ""}
    return f"{reverse('search')}?{urlencode({k: v for k, v in values.items() if v})}"


def _results(request: HttpRequest, text: str, kind: str) -> Results:
    try:
        return _found(request, read_search(text), text, kind)
    except ProblemsError as error:
        return Results(problems=[problem.message for problem in error.problems])


def _found(request: HttpRequest, terms: SearchTerms, text: str, kind: str) -> Results:
    if terms.is_empty:
        return Results()
    found = Search(request.user, terms, clock.now())
    offset = _offset(request) if kind else 0
    pages: dict[str, Page[Any]] = {}
    for one in KINDS:
        is_shown = not kind or one == kind
        limit = PAGE_SIZE if kind else FIRST_ROWS
        # The tabs say how many there are of the other kinds.
        pages[one] = getattr(found, one)(
            offset=offset if one == kind else 0, limit=limit if is_shown else 1
        )
    groups = [
        _group(one, pages[one], terms, text, is_alone=bool(kind))
        for one in KINDS
        if (one == kind if kind else pages[one].items)
    ]
    return Results(
        words=list(terms.words),
        groups=groups,
        total=sum(page.total for page in pages.values()),
        tabs=_tabs(text, kind, pages),
    )


def _offset(request: HttpRequest) -> int:
    text = request.GET.get("offset", "")
    return min(_MOST_OFFSET, int(text)) if text.isdecimal() and len(text) < 10 else 0


def _tabs(text: str, kind: str, pages: dict[str, Page[Any]]) -> list[Tab]:
    total = sum(page.total for page in pages.values())
    tabs = [Tab("", "All", search_url(text), total, not kind)]
    return tabs + [
        Tab(one, _LABELS[one], search_url(text, one), pages[one].total, kind == one)
        for one in KINDS
    ]


def _group(kind: str, page: Page[Any], terms: SearchTerms, text: str, *, is_alone: bool) -> Group:
    more = before = ""
    if page.next_cursor is not None:
        more = search_url(text, kind, int(page.next_cursor) if is_alone else 0)
    if is_alone and page.offset:
        before = search_url(text, kind, max(0, page.offset - PAGE_SIZE))
    return Group(kind, _LABELS[kind], once(lambda: _rows(kind, page, terms)), page, more, before)


def _rows(kind: str, page: Page[Any], terms: SearchTerms) -> Sequence[Any]:
    if kind == "sweeps":
        return [_found_sweep(hit, terms) for hit in page.items]
    return [_found_run(run, terms) for run in page.items] if kind == "runs" else page.items


def _found_sweep(hit: SweepHit, terms: SearchTerms) -> FoundSweep:
    url = reverse("sweep_runs", args=[hit.sweep.public_id])
    if terms.conditions:
        url = f"{url}?{urlencode({'q': terms.conditions})}"
    return FoundSweep(hit, found_in_sweep(hit.sweep, terms), url)


def _found_run(run: Run, terms: SearchTerms) -> FoundRun:
    context = found_in_run(run, terms)
    return FoundRun(run, context.texts(), context.where)
