"""Search across sweeps, runs and models: always within what a person may see, always paged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from operator import or_
from typing import Any, Final

from django.db.models import Case, Count, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from experiments.models import RegisteredModel, Run, Sweep
from experiments.queries.models import ModelRow, model_rows, models_for
from experiments.queries.page import Page
from experiments.queries.run_search import runs_meeting
from experiments.queries.visible import AnyUser, runs_for, sweeps_for
from experiments.search_terms import Place, SearchTerms

KINDS: Final = ("sweeps", "runs", "models")
# A shorter word would be found in the random part of many ids.
_ID_LENGTH: Final = 8
_UNUSED: Final = ("facts", "command", "last_decision", "arguments")


@dataclass(frozen=True, slots=True)
class SweepHit:
    """A sweep that was found; `matching` counts its runs that meet the conditions, if any."""

    sweep: Sweep
    matching: int | None = None


class Search:
    """One search of one person; every list costs its own queries, when it is asked for."""

    def __init__(self, user: AnyUser, terms: SearchTerms, now: datetime) -> None:
        self.user = user
        self.terms = terms
        self.now = now

    def sweeps(
        self, *, offset: int = 0, limit: int = 10, is_counted: bool = True
    ) -> Page[SweepHit]:
        """Return a page of the sweeps: whole names first, then the newest.

        With conditions those that have such a run, and how many of them.

        Raises:
            ProblemsError: the conditions cannot be read.
        """
        rows = self._sweep_rows
        if self.terms.is_about_one_run:
            return Page([], None, 0)
        if self.terms.conditions:
            rows = rows.filter(pk__in=self._meeting.order_by().values("sweep"))
        page = _page(_ranked(rows, self.terms.words), offset, limit, is_counted=is_counted)
        counts: dict[int, int] = {}
        if self.terms.conditions and page.items:
            of_page = self._meeting.filter(sweep__in=[sweep.pk for sweep in page.items])
            counted = of_page.order_by().values_list("sweep").annotate(n=Count("pk"))
            counts = dict(counted)
        hits = [
            SweepHit(sweep, counts.get(sweep.pk, 0) if self.terms.conditions else None)
            for sweep in page.items
        ]
        return Page(hits, page.next_cursor, page.total, page.offset)

    def runs(self, *, offset: int = 0, limit: int = 10, is_counted: bool = True) -> Page[Run]:
        """Return a page of the runs, newest first; `sweep` is loaded with each.

        Raises:
            ProblemsError: the conditions cannot be read.
        """
        rows = runs_for(self.user).defer(*_UNUSED)
        if self.terms.places:
            rows = rows.filter(sweep__in=self._placed_sweeps.order_by().values("pk"))
        if self.terms.conditions:
            rows = rows.filter(pk__in=self._meeting.order_by().values("pk"))
        rows = _with_tags(rows, self.terms.words)
        is_wide = bool(self.terms.conditions or self.terms.places)
        for word in self.terms.words:
            match = _run_match(word)
            if is_wide:
                # "resnet lr<0.01": the word may as well name the sweep.
                named = _with_tags(sweeps_for(self.user), [word]).filter(_sweep_match(word))
                match |= Q(sweep__in=named.order_by().values("pk"))
            rows = rows.filter(match)
        return _page(rows.order_by("-pk"), offset, limit, is_counted=is_counted)

    def models(
        self, *, offset: int = 0, limit: int = 10, is_counted: bool = True
    ) -> Page[ModelRow]:
        """Return a page of the models by name or description; conditions are not on models."""
        if self.terms.conditions or not _fits_models(self.terms.places):
            return Page([], None, 0)
        rows = models_for(self.user)
        for place in self.terms.places:
            rows = _at(rows, place, {"workspace": "workspace__name", "owner": _CREATOR})
        for word in self.terms.words:
            rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word))
        words = self.terms.words
        order = [_by_name("name", words)] if words else []
        ordered = rows.order_by(*order, "-updated_at", "-pk")
        page: Page[RegisteredModel] = _page(ordered, offset, limit, is_counted=is_counted)
        return Page(model_rows(page.items), page.next_cursor, page.total, page.offset)

    @cached_property
    def _placed_sweeps(self) -> QuerySet[Sweep]:
        rows = sweeps_for(self.user)
        for place in self.terms.places:
            rows = _at(rows, place, _SWEEP_PLACES)
        return rows

    @cached_property
    def _sweep_rows(self) -> QuerySet[Sweep]:
        rows: QuerySet[Sweep] = _with_tags(self._placed_sweeps, self.terms.words)
        return rows.filter(*map(_sweep_match, self.terms.words))

    @cached_property
    def _meeting(self) -> QuerySet[Run]:
        return runs_meeting(self._placed_sweeps, self.terms.conditions, self.now)


_OWNER: Final = ("owner__username", "owner__first_name", "owner__last_name")
_CREATOR: Final = ("created_by__username", "created_by__first_name", "created_by__last_name")
_SWEEP_PLACES: Final[dict[str, str | tuple[str, ...]]] = {
    "experiment": "experiment__name",
    "owner": _OWNER,
    "sweep": ("name", "public_id"),
    "workspace": ("experiment__workspace__name", "experiment__workspace__slug"),
    "metric": "metric_name",
}


def _fits_models(places: Sequence[Place]) -> bool:
    return all(place.name in ("workspace", "owner") for place in places)


def _at(rows: Any, place: Place, fields: dict[str, Any]) -> Any:
    """Return the rows at a place: any of the values in any of its fields."""
    names = fields[place.name]
    test = "iexact" if place.is_exact else "icontains"
    found = Q()
    for name in (names,) if isinstance(names, str) else names:
        for value in place.values:
            found |= Q(**{f"{name}__{test}": value})
    return rows.exclude(found) if place.is_negated else rows.filter(found)


def _with_tags(rows: Any, words: Sequence[str]) -> Any:
    return rows.annotate(tags_text=Cast("tags", TextField())) if words else rows


def _in_tags(word: str) -> Q:
    # SQLite keeps JSON with everything beyond ASCII escaped.
    return Q(tags_text__icontains=word) | Q(tags_text__icontains=json.dumps(word)[1:-1])


def _sweep_match(word: str) -> Q:
    fields = (
        "name",
        "description",
        "experiment__name",
        "metric_name",
        *_OWNER,
    )
    match = reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields)) | _in_tags(word)
    return match | Q(public_id__icontains=word) if len(word) >= _ID_LENGTH else match


def _run_match(word: str) -> Q:
    match = _in_tags(word) | Q(reason__icontains=word) | Q(note__icontains=word)
    if word.isdecimal() and len(word) < 10:
        match |= Q(number=int(word))
    return match | Q(public_id__icontains=word) if len(word) >= _ID_LENGTH else match


def _ranked(rows: QuerySet[Sweep], words: Sequence[str]) -> QuerySet[Sweep]:
    return rows.order_by(*([_by_name("name", words)] if words else []), "-pk")


def _by_name(field: str, words: Sequence[str]) -> Case:
    """Put whole names first, then those that begin so, then those that have it inside."""
    text = " ".join(words)
    places = [Q(**{f"{field}__{test}": text}) for test in ("iexact", "istartswith", "icontains")]
    cases = [When(place, then=Value(at)) for at, place in enumerate(places)]
    return Case(*cases, default=Value(len(cases)), output_field=IntegerField())


def _page(rows: Any, offset: int, limit: int, *, is_counted: bool) -> Page[Any]:
    found = list(rows[offset : offset + limit + 1])
    more = str(offset + limit) if len(found) > limit else None
    shown = found[:limit]
    total = offset + len(found)
    if is_counted and (more or (offset and not found)):
        total = rows.order_by().count()
    return Page(shown, more, total, offset)
