"""The trash: its page, the way there and back, deleting for good."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST, require_safe
from django.views.defaults import page_not_found

from experiments import queries
from experiments.formats import format_filesize
from experiments.models import Removal, Sweep, Workspace
from experiments.permissions import Action
from experiments.queries.page import Page
from experiments.queries.site_settings import days_in_trash
from experiments.queries.trash import TrashRow, removals_for, trash_page, trash_rows, trash_size
from experiments.services.purge import delete_for_good, empty_trash
from experiments.services.refused import Refused
from experiments.services.removals import carry_on
from experiments.services.trash import restore_sweep, trash_sweep
from experiments.storable import is_storable
from experiments.views.sweep_head import changer_of

PAGE_SIZE: Final = 50
MOST_AT_ONCE: Final = 200
_SHOWN_REMOVALS: Final = 20
# A small sweep is gone when the page comes back; the watchdog goes on with a large one.
_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class TrashOfWorkspace:
    """What the page shows of one workspace; `count` and `size_bytes` are of all its pages."""

    workspace: Workspace
    page: Page[TrashRow]
    count: int
    size_bytes: int
    can_change: bool
    can_delete: bool
    next_url: str


@require_safe
def trash(request: HttpRequest) -> HttpResponse:
    """Show what is in the trash of one's workspaces, and what was removed for good lately."""
    workspaces = queries.workspaces_for(request.user)
    used = queries.trashed_for(request.user).values("experiment__workspace")
    shown = [_of_workspace(request, one) for one in workspaces.filter(pk__in=used).order_by("pk")]
    removals = list(removals_for(request.user)[:_SHOWN_REMOVALS])
    context = {
        "groups": shown,
        "has_several": workspaces.count() > 1,
        "days": days_in_trash(),
        "removals": removals,
        "is_going_on": any(removal.finished_at is None for removal in removals),
    }
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_trash_parts.html" if is_fragment else "experiments/trash.html"
    return render(request, name, context)


@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """Move sweeps to the trash; live ones stay, and it is said why."""
    sweeps = _chosen(request, queries.sweeps_for(request.user))
    moved, refused = _each(request, sweeps, trash_sweep)
    if _wants_json(request):
        return JsonResponse(
            {
                "moved": [{"id": one.public_id, "name": one.name} for one in moved],
                "refused": [{"url": one.get_absolute_url(), "reason": w} for one, w in refused],
            }
        )
    for _, why in refused:
        messages.error(request, why)
    query = urlencode({"trashed": ",".join(one.public_id for one in moved)}) if moved else ""
    return redirect(_with_query(_next(request, reverse("sweeps")), query))


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Bring sweeps back from the trash."""
    sweeps = _chosen(request, queries.trashed_for(request.user))
    restored, refused = _each(request, sweeps, restore_sweep)
    if _wants_json(request):
        reasons = [why for _, why in refused]
        return JsonResponse({"restored": [s.public_id for s in restored], "refused": reasons})
    for _, why in refused:
        messages.error(request, why)
    if restored:
        messages.info(request, f"{_named(restored)} restored.")
    default = reverse("trash") if len(restored) != 1 else restored[0].get_absolute_url()
    return redirect(_next(request, default))


@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Delete sweeps of the trash for good."""
    sweeps = _chosen(request, queries.trashed_for(request.user))
    begun: list[Removal] = []
    for sweep in sweeps:
        user = changer_of(request, sweep, Action.DELETE_FOR_GOOD)
        try:
            begun.append(delete_for_good(sweep, user=user))
        except Refused as error:
            messages.error(request, str(error))
    _tell(request, begun)
    return redirect("trash")


@require_POST
def empty(request: HttpRequest) -> HttpResponse:
    """Delete everything in the trash of a workspace for good."""
    slug = request.POST.get("workspace", "")
    if not is_storable(slug):
        raise Http404("There is no such workspace.")
    workspace = get_object_or_404(queries.workspaces_for(request.user), slug=slug)
    user = request.user
    if not isinstance(user, User) or not queries.may(user, workspace, Action.DELETE_FOR_GOOD):
        raise PermissionDenied
    sweeps = queries.trashed_for(user).filter(experiment__workspace=workspace)
    begun, refused = empty_trash(sweeps.order_by("pk"), user=user)
    for reason in refused:
        messages.error(request, reason)
    _tell(request, begun)
    return redirect("trash")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404; whoever follows a link to a sweep in their trash is told where it is."""
    kwargs = request.resolver_match.kwargs if request.resolver_match else {}
    public_id = kwargs.get("sweep_id") or kwargs.get("run_id", "").rpartition("_")[0]
    if (
        public_id
        and is_storable(public_id)
        and request.user.is_authenticated
        and "X-Fragment" not in request.headers
    ):
        sweep = queries.trashed_for(request.user).filter(public_id=public_id[:60]).first()
        if sweep is not None:
            context = {
                "row": trash_rows([sweep])[0],
                "sweep": sweep,
                "can_change": queries.may(request.user, sweep.experiment.workspace, Action.TRASH),
            }
            return render(request, "experiments/sweep_trashed.html", context, status=404)
    return page_not_found(request, exception)


def just_trashed(request: HttpRequest) -> list[Sweep]:
    """Return the sweeps that the address says have just been moved to the trash, if they were."""
    ids = request.GET.get("trashed", "").split(",")[:MOST_AT_ONCE]
    if not ids[0] or not all(map(is_storable, ids)):
        return []
    rows = queries.trashed_for(request.user).filter(public_id__in=[one[:60] for one in ids])
    return list(rows.filter(purging_at__isnull=True).order_by("pk"))


def _of_workspace(request: HttpRequest, workspace: Workspace) -> TrashOfWorkspace:
    before = request.GET.get("before", "") if _asked(request, workspace) else ""
    page = trash_page(
        request.user,
        workspace=workspace,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        limit=PAGE_SIZE,
    )
    count, size = trash_size(request.user, workspace)
    allowed = queries.allowed_in(request.user, workspace.pk)
    query = urlencode({"workspace": workspace.slug, "before": page.next_cursor or ""})
    return TrashOfWorkspace(
        workspace=workspace,
        page=page,
        count=count,
        size_bytes=size,
        can_change=Action.TRASH in allowed,
        can_delete=Action.DELETE_FOR_GOOD in allowed,
        next_url=f"{reverse('trash')}?{query}" if page.next_cursor else "",
    )


def _asked(request: HttpRequest, workspace: Workspace) -> bool:
    return request.GET.get("workspace", "") == workspace.slug


def _chosen(request: HttpRequest, rows: QuerySet[Sweep]) -> list[Sweep]:
    """Return the sweeps that the form names; 404 when one of them is not this person's to see."""
    # The menu of one row comes before whatever is ticked.
    ids = request.POST.getlist("only") or list(dict.fromkeys(request.POST.getlist("sweep")))
    if not all(map(is_storable, ids)):
        raise Http404("One of these sweeps is not there.")
    if len(ids) > MOST_AT_ONCE:
        raise Http404(f"At most {MOST_AT_ONCE} sweeps at a time.")
    found = {sweep.public_id: sweep for sweep in rows.filter(public_id__in=ids)}
    if len(found) != len(ids):
        raise Http404("One of these sweeps is not there.")
    return [found[one] for one in ids]


def _each(
    request: HttpRequest, sweeps: Iterable[Sweep], act: Callable[..., bool]
) -> tuple[list[Sweep], list[tuple[Sweep, str]]]:
    """Do it to every sweep; return those it was done to, and the others with the reason."""
    done, refused = [], []
    # Whoever may not change one of them changes none.
    for sweep, user in [(one, changer_of(request, one, Action.TRASH)) for one in sweeps]:
        try:
            act(sweep, user=user)
        except Refused as error:
            refused.append((sweep, str(error)))
        except Sweep.DoesNotExist:
            continue  # deleted for good meanwhile
        else:
            done.append(sweep)
    return done, refused


def _tell(request: HttpRequest, begun: list[Removal]) -> None:
    removals = [carry_on(removal, seconds=_SECONDS / len(begun)) for removal in begun]
    done = [removal for removal in removals if removal.finished_at is not None]
    if done:
        freed = format_filesize(sum(removal.freed_bytes for removal in done))
        what = f"“{done[0].name}” is" if len(done) == 1 else f"{len(done)} sweeps are"
        messages.info(request, f"{what} deleted for good, {freed} freed.")
    if left := len(removals) - len(done):
        what = "1 sweep is" if left == 1 else f"{left} sweeps are"
        messages.info(request, f"{what} being deleted; this goes on by itself.")


def _named(sweeps: list[Sweep]) -> str:
    return f"“{sweeps[0].name}” is" if len(sweeps) == 1 else f"{len(sweeps)} sweeps are"


def _wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _next(request: HttpRequest, default: str) -> str:
    address: Any = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if address and is_ours else default


def _with_query(address: str, query: str) -> str:
    if not query:
        return address
    return f"{address}{'&' if '?' in address else '?'}{query}"
