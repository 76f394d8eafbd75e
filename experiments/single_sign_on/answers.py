"""The answer to somebody whom single sign-on does not let in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from experiments.views.account import sign_in_page


def refused(request: HttpRequest, reason: str) -> HttpResponse:
    """Show the sign-in page with the reason; other ways in stay open."""
    return sign_in_page(request, error=("You are not signed in.", reason), status=403)
