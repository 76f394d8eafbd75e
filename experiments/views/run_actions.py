"""What people do on the table of runs: act on many runs, choose columns, keep views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from experiments.models import Run, SavedView, Sweep
from experiments.problems import ProblemsError
from experiments.queries.run_table import chosen_runs, columns_of
from experiments.run_filter_terms import unquote
from experiments.services import bulk_runs, saved_views
from experiments.services.bulk_runs import BulkResult
from experiments.services.refused import Refused
from experiments.services.saved_views import ViewContent
from experiments.views.run_table_state import read_numbers, read_state, split_keys
from experiments.views.sweep_head import changer_of, find_sweep

_ACTIONS: Final = ("cancel", "retry", "tag", "untag")
_LONGEST_QUERY: Final = 8000
T = TypeVar("T")


@require_POST
def act(request: HttpRequest, sweep_id: str) -> HttpResponseBase:
    """Cancel, repeat or tag the picked runs, or with `all` every run that `query` shows."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep)
    action = request.POST.get("action", "")
    if action not in _ACTIONS:
        return _answer(request, sweep, f"{action!r} is no action; use {', '.join(_ACTIONS)}.", 422)
    try:
        runs = _picked(request, sweep)
        if not runs:
            return _answer(request, sweep, "No run is selected.", 422)
        text = _carry_out(action, sweep, runs, request.POST.get("tag", ""), user)
    except ProblemsError as error:
        return _answer(request, sweep, error.problems[0].message, 422)
    except Refused as error:
        return _answer(request, sweep, str(error), 409)
    return _answer(request, sweep, text)


@require_POST
def choose_columns(request: HttpRequest, sweep_id: str) -> HttpResponseBase:
    """Remember which columns a person sees in this experiment; `reset` forgets them."""
    sweep = find_sweep(request, sweep_id)
    keys = [] if "reset" in request.POST else request.POST.getlist("column")
    try:
        _remember(request, sweep, keys)
    except ProblemsError as error:
        return _answer(request, sweep, error.problems[0].message, 422)
    return _answer(request, sweep, "")


@require_POST
def save_view(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Keep what the table shows under a new name."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep)
    name = request.POST.get("name", "")

    def save() -> SavedView:
        view = saved_views.save_view(sweep.experiment, name, _content(request, sweep), user=user)
        if "default" in request.POST:
            saved_views.set_default_view(sweep.experiment, view)
        return view

    view = _attempt(request, save)
    return _back(request, sweep) if view is None else redirect(_view_url(sweep, view))


@require_POST
def change_view(request: HttpRequest, sweep_id: str, view_id: int) -> HttpResponse:
    """Give a view another name, what the table shows now, or the place of the default."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep)
    view = get_object_or_404(SavedView, pk=view_id, experiment=sweep.experiment)

    def change() -> SavedView:
        if "default" in request.POST:
            is_on = request.POST["default"] == "on"
            saved_views.set_default_view(sweep.experiment, view if is_on else None)
            return view
        content = _content(request, sweep) if "content" in request.POST else None
        name = request.POST.get("name")
        return saved_views.change_view(view, user=user, name=name, content=content)

    # A view with new content shows it; a new name or the default change nothing on the table.
    if _attempt(request, change) is None or "content" not in request.POST:
        return _back(request, sweep)
    return redirect(_view_url(sweep, view))


@require_POST
def delete_view(request: HttpRequest, sweep_id: str, view_id: int) -> HttpResponse:
    """Delete a view."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep)
    view = get_object_or_404(SavedView, pk=view_id, experiment=sweep.experiment)
    name = view.name

    def delete() -> str:
        saved_views.delete_view(view, user=user)
        return name

    if _attempt(request, delete) is None:
        return _back(request, sweep)
    messages.info(request, f"The view “{name}” is deleted.")
    return redirect(reverse("sweep_runs", args=[sweep.public_id]))


def _carry_out(action: str, sweep: Sweep, runs: list[Run], tag: str, user: User) -> str:
    if action == "cancel":
        return _told(bulk_runs.cancel_runs(sweep, runs, user=user), "canceled", "had ended")
    if action == "retry":
        result = bulk_runs.repeat_runs(sweep, runs, user=user)
        return _told(result, "repeated", "did not fail or are repeated already")
    name, _, value = (part.strip() for part in tag.partition("="))
    if action == "tag":
        added = {unquote(name): value or None} if name else {}
        result = bulk_runs.change_tags(sweep, runs, added=added, removed=[])
        return _told(result, "tagged", "had the tag")
    removed = [unquote(name)] if name else []
    result = bulk_runs.change_tags(sweep, runs, added={}, removed=removed)
    return _told(result, "without the tag now", "did not have it")


def _told(result: BulkResult, done: str, rest: str) -> str:
    what = "1 run is" if result.changed == 1 else f"{result.changed} runs are"
    left = f" {result.left} {rest}." if result.left else ""
    return f"{what} {done}.{left}" if result.changed else f"No run is {done}.{left}"


def _picked(request: HttpRequest, sweep: Sweep) -> list[Run]:
    """Return the runs that were picked, by their numbers or as everything that a query shows."""
    if "all" not in request.POST:
        numbers = read_numbers(",".join(request.POST.getlist("run")))
        return list(Run.objects.filter(sweep=sweep, number__in=numbers or []).order_by("number"))
    state = read_state(_shown(request), columns_of(sweep))
    if state.errors:
        # A filter that cannot be read must never stand for every run.
        raise Refused(state.errors[0])
    return list(chosen_runs(sweep, state.choice()))


def _shown(request: HttpRequest) -> QueryDict:
    """Return the address of the table as the form carries it."""
    return QueryDict(request.POST.get("query", "")[:_LONGEST_QUERY].removeprefix("?"))


def _content(request: HttpRequest, sweep: Sweep) -> ViewContent:
    state = read_state(_shown(request), columns_of(sweep))
    keys = split_keys(request.POST.get("columns", "")[:_LONGEST_QUERY])
    return ViewContent(
        filter=state.text,
        state=state.group,
        columns=keys or [column.key for column in state.shown],
        sort=state.sort,
        descending=state.descending,
    )


def _remember(request: HttpRequest, sweep: Sweep, keys: list[str]) -> None:
    user = request.user
    if isinstance(user, User):
        saved_views.remember_columns(sweep.experiment, keys, user=user)


def _attempt(request: HttpRequest, change: Callable[[], T]) -> T | None:
    """Carry a change out; None and a message when it is refused."""
    try:
        return change()
    except ProblemsError as error:
        messages.error(request, error.problems[0].message)
    except Refused as error:
        messages.error(request, str(error))
    return None


def _view_url(sweep: Sweep, view: SavedView) -> str:
    return f"{reverse('sweep_runs', args=[sweep.public_id])}?view={view.pk}"


def _back(request: HttpRequest, sweep: Sweep) -> HttpResponse:
    """Go back to the table as it was shown."""
    query = _shown(request).urlencode()
    address = reverse("sweep_runs", args=[sweep.public_id])
    return redirect(f"{address}?{query}" if query else address)


def _answer(request: HttpRequest, sweep: Sweep, text: str, status: int = 200) -> HttpResponseBase:
    """Answer a script with JSON, a form with the table and a message."""
    if "application/json" in request.headers.get("Accept", ""):
        key = "detail" if status >= 400 else "message"
        return JsonResponse({key: text}, status=status)
    if text:
        (messages.error if status >= 400 else messages.info)(request, text)
    return _back(request, sweep)
