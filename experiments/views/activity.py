"""What was done in a workspace, from the audit log: for its owners."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from experiments import queries
from experiments.models import AuditEntry
from experiments.permissions import Action
from experiments.queries.audit import act_label, activity_page, acts_in, details_text, who_did

PAGE_SIZE: Final = 50
_LONGEST_KEY: Final = 18


@require_safe
def activity(request: HttpRequest, slug: str) -> HttpResponse:
    """List who did what in a workspace, newest first."""
    workspace = get_object_or_404(queries.workspaces_for(request.user), slug=slug)
    if not queries.may(request.user, workspace, Action.MANAGE_MEMBERS):
        raise PermissionDenied("The activity of a workspace is for its owners.")
    acts = acts_in(workspace)
    act = request.GET.get("act", "")
    act = act if act in acts else ""
    before = _before(request)
    page = activity_page(workspace, before=before, act=act, limit=PAGE_SIZE)
    older = {"before": page.next_cursor, "act": act}
    context = {
        "chosen": workspace,
        "lines": [_line(entry) for entry in page.items],
        "total": page.total,
        "acts": [(name, act_label(name)) for name in acts],
        "act": act,
        "older_url": f"?{urlencode({k: v for k, v in older.items() if v})}"
        if page.next_cursor
        else "",
        "newest_url": f"?{urlencode({'act': act})}" if act else "?",
        "is_first": before is None,
    }
    return render(request, "experiments/activity.html", context)


def _before(request: HttpRequest) -> int | None:
    """Return the entry before which the page begins; an address that nobody gave out is none."""
    text = request.GET.get("before", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_KEY:
        raise Http404("There is no such page.")
    return int(text)


def _line(entry: AuditEntry) -> dict[str, Any]:
    return {
        "entry": entry,
        "label": act_label(entry.act),
        "who": who_did(entry),
        "details": details_text(entry.details),
    }
