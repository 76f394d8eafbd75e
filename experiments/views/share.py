"""Sharing a sweep with people without an account: its links, making one, revoking one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from experiments import clock
from experiments.models import ShareLink, Sweep
from experiments.permissions import Action
from experiments.problems import ProblemsError
from experiments.queries.shared import link_state, share_links_for
from experiments.services.refused import Refused
from experiments.services.share_links import (
    DAYS,
    MAX_NAME,
    create_share_link,
    revoke_share_link,
)
from experiments.views.sweep_head import changer_of, find_sweep

_USUAL_DAYS: Final = 7
_SHOWN_LINKS: Final = 100


@dataclass(frozen=True, slots=True)
class ListedLink:
    """A link with its state and, while it lives, its whole address."""

    link: ShareLink
    state: str
    url: str


@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """List the links to a sweep, for those who may change it, and make another one."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep, Action.SHARE)
    if request.method != "POST":
        return _render(request, sweep)
    days = request.POST.get("days", "")
    try:
        link = create_share_link(
            sweep,
            user=user,
            days=int(days) if days.isdecimal() and len(days) < 5 else 0,
            name=request.POST.get("name", ""),
            with_reasons="with_reasons" in request.POST,
            with_files="with_files" in request.POST,
        )
    except ProblemsError as error:
        problems = {problem.path: problem.message for problem in error.problems}
        return _render(request, sweep, status=422, problems=problems)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("sweep_share", sweep.public_id)
    return redirect(f"{reverse('sweep_share', args=[sweep.public_id])}?made={link.pk}")


@require_POST
def revoke(request: HttpRequest, sweep_id: str, link_id: int) -> HttpResponse:
    """Make a link useless at once."""
    sweep = find_sweep(request, sweep_id)
    user = changer_of(request, sweep, Action.SHARE)
    link = get_object_or_404(share_links_for(user, sweep), pk=link_id)
    if revoke_share_link(link, user=user):
        messages.info(request, "The link is revoked: it shows nothing any more.")
    return redirect("sweep_share", sweep.public_id)


def _render(request: HttpRequest, sweep: Sweep, *, status: int = 200, **extra: Any) -> HttpResponse:
    now = clock.now()
    links = list(share_links_for(request.user, sweep)[:_SHOWN_LINKS])
    listed = [ListedLink(link, link_state(link, now), _address(request, link)) for link in links]
    context = {
        "sweep": sweep,
        "live_links": [one for one in listed if one.state == "live"],
        "dead_links": [one for one in listed if one.state != "live"],
        "days": DAYS,
        "usual_days": _USUAL_DAYS,
        "max_name": MAX_NAME,
        "made": request.GET.get("made", ""),
        "problems": {},
        **extra,
    }
    return render(request, "experiments/sweep_share.html", context, status=status)


def _address(request: HttpRequest, link: ShareLink) -> str:
    return request.build_absolute_uri(link.get_absolute_url())
