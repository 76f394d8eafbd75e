"""Where a person is signed in: a list, and the end of one session or of all others."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from experiments.browsers import browser_words
from experiments.queries.accounts import browser_rows, sessions_for
from experiments.services.sessions import end_session, end_sessions


@never_cache
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """List every browser that is signed in as this person."""
    rows = browser_rows(cast(User, request.user), request.session.session_key)
    return render(request, "experiments/sessions.html", {"rows": rows})


@require_POST
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one session; that of this browser is a sign-out."""
    user = cast(User, request.user)
    row = get_object_or_404(sessions_for(user).select_related("user"), pk=session_id)
    is_this = row.session_id == request.session.session_key
    end_session(row, by=user)
    if is_this:
        request.session.flush()
        return redirect("sign_in")
    messages.success(request, f"{browser_words(row.agent)} is signed out.")
    return redirect("sessions")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """End every session of this person but the one that asks."""
    user = cast(User, request.user)
    count = end_sessions(user, by=user, keep=request.session.session_key)
    text = f"{count} other session{'' if count == 1 else 's'} ended."
    messages.success(request, text)
    return redirect("sessions")
