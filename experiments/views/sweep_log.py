"""The activity log of a sweep: who did what and when, by kind, in pages, each line an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from experiments.models import Event
from experiments.queries.log import PEOPLE, log_page
from experiments.views.sweep_head import find_sweep, render_sweep

PAGE_LINES: Final = 200
KINDS: Final = (
    ("", "All"),
    (PEOPLE, "People"),
    (str(Event.Kind.RUN), "Runs"),
    (str(Event.Kind.DECISION), "Decisions"),
    (str(Event.Kind.BEST), "New best"),
    (str(Event.Kind.SAMPLER), "Sampler"),
    (str(Event.Kind.SWEEP), "Sweep"),
    (str(Event.Kind.NOTICE), "Notices"),
)


@dataclass(frozen=True, slots=True)
class KindLink:
    """A filter above the log; `count` is of the whole log."""

    key: str
    label: str
    count: int
    url: str


@require_safe
def logs(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show a page of the log, newest at the end; `?kind=` narrows it, `?at=` shows one line."""
    sweep = find_sweep(request, sweep_id)
    kind = request.GET.get("kind", "")
    kind = kind if kind in dict(KINDS) else ""
    before, after, at = (_cursor(request, name) for name in ("before", "after", "at"))
    page = log_page(sweep, kind=kind or None, before=before, after=after, at=at, limit=PAGE_LINES)
    context = {
        "lines": page.lines,
        "older": _url(kind, before=page.older) if page.older is not None else "",
        "newer": _url(kind, after=page.newer) if page.newer is not None else "",
        "newest": _url(kind),
        "kind": kind,
        "at": at,
        "kinds": [KindLink(key, label, page.counts.get(key, 0), _url(key)) for key, label in KINDS],
    }
    return render_sweep(request, sweep, "sweep_logs", "sweep_logs", context)


def _cursor(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else None


def _url(kind: str, **more: int) -> str:
    query: dict[str, str | int] = {**({"kind": kind} if kind else {}), **more}
    return "?" + urlencode(query)
