"""Drafts of the new-sweep form: saved while one types, discarded, taken back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from experiments import queries
from experiments.forms.draft_texts import draft_texts, version_of
from experiments.models import SweepDraft
from experiments.problems import ProblemsError
from experiments.queries.drafts import drafts_for, get_draft
from experiments.services.drafts import DraftPlace, discard_draft, restore_draft, save_draft
from experiments.services.refused import Refused
from experiments.views.form_request import person_who_may_write, posted_texts

_MAX_EDITOR = 64


@require_POST
def save(request: HttpRequest) -> JsonResponse:
    """Store the posted form as a draft; answer where it is and its version."""
    user = person_who_may_write(request)
    known = request.POST.get("draft", "")
    try:
        draft = store_posted(request, user)
    except ProblemsError as error:
        return JsonResponse({"error": " ".join(p.message for p in error.problems)})
    except Refused as error:
        return JsonResponse({"error": str(error)})
    return JsonResponse(
        {
            "id": draft.public_id,
            "version": draft.version,
            "saved_at": draft.changed_at.isoformat(),
            "url": draft.get_absolute_url(),
            "discard_url": discard_url(draft),
            "is_copy": bool(known) and known != draft.public_id,
        }
    )


@require_POST
def discard(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Throw a draft away; the form that follows offers to take that back."""
    draft = _find(person_who_may_write(request), draft_id)
    discard_draft(draft)
    return redirect(f"{reverse('sweep_new')}?discarded={draft.public_id}")


@require_POST
def restore(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Bring a discarded draft back and open it."""
    draft = _find(person_who_may_write(request), draft_id, is_discarded=True)
    restore_draft(draft)
    return redirect(draft)


def store_posted(request: HttpRequest, user: User) -> SweepDraft:
    """Store the posted form as a draft of its owner.

    Raises:
        ProblemsError: a text cannot be stored.
        Refused: the form is longer than a draft may be.
    """
    workspace = queries.current_workspace(user)
    if workspace is None:
        raise BadRequest("There is no workspace for a draft.")
    posted = posted_texts(request)
    place = DraftPlace(
        public_id=posted.get("draft", ""),
        version=version_of(posted.get("draft_version", "")),
        editor=posted.get("draft_editor", "")[:_MAX_EDITOR],
    )
    return save_draft(draft_texts(posted), place, owner=user, workspace=workspace)


def draft_context(request: HttpRequest, user: User, public_id: str) -> dict[str, Any]:
    """Return what the page says about drafts: that of this form, others, one just discarded."""
    drafts = list(drafts_for(user))
    return {
        "draft": next((draft for draft in drafts if draft.public_id == public_id), None),
        "drafts": [draft for draft in drafts if draft.public_id != public_id],
        "discarded": _discarded(request, user),
    }


def discard_url(draft: SweepDraft) -> str:
    """Return where a draft is discarded."""
    return reverse("draft_discard", args=[draft.public_id])


def _discarded(request: HttpRequest, user: User) -> SweepDraft | None:
    public_id = request.GET.get("discarded", "") if request.method == "GET" else ""
    if not public_id:
        return None
    try:
        return get_draft(user, public_id, is_discarded=True)
    except SweepDraft.DoesNotExist:
        return None


def _find(user: User, public_id: str, *, is_discarded: bool = False) -> SweepDraft:
    try:
        return get_draft(user, public_id, is_discarded=is_discarded)
    except SweepDraft.DoesNotExist as error:
        raise Http404 from error
