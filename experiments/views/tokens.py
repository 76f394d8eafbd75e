"""API tokens of a person: list, make (shown once), revoke."""

from __future__ import annotations

from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from experiments.models import ApiToken
from experiments.problems import ProblemsError
from experiments.queries.accounts import is_expired, tokens_for
from experiments.services.access import revoke_api_token
from experiments.services.api_tokens import MAX_NAME, SCOPES, create_token, end_of
from experiments.services.refused import Refused

_ON_A_PAGE: Final = 50
ENDS: Final = (
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
    ("date", "On a day"),
    ("never", "Never"),
)
_PROPOSED: Final = "90"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """List the tokens of a person and make one; the answer shows it, this once."""
    if request.method != "POST":
        return _page(request)
    data = request.POST
    try:
        ends = end_of(data.get("expires", ""), data.get("day", ""))
        token, plain = create_token(
            cast(User, request.user),
            name=data.get("name", ""),
            scope=data.get("scope", ""),
            expires_at=ends,
        )
    except ProblemsError as error:
        problems = {problem.path: problem.message for problem in error.problems}
        return _page(request, problems=problems)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("tokens")
    context = {"token": token, "secret": plain, "studio_url": request.build_absolute_uri("/")}
    return render(request, "experiments/token_made.html", context)


@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Make a token useless at once."""
    token = get_object_or_404(tokens_for(request.user).select_related("user"), pk=token_id)
    revoke_api_token(token, by=cast(User, request.user))
    messages.success(request, f"“{token.name}” is revoked; nothing gets in with it any more.")
    return redirect("tokens")


def _page(request: HttpRequest, *, problems: dict[str, str] | None = None) -> HttpResponse:
    page = Paginator(tokens_for(request.user), _ON_A_PAGE).get_page(request.GET.get("page"))
    data = request.POST
    context: dict[str, Any] = {
        "page_of": page,
        "rows": [(token, is_expired(token)) for token in page],
        "problems": problems or {},
        "name": data.get("name", ""),
        "scope": data.get("scope", ApiToken.Scope.WRITE),
        "expires": data.get("expires", _PROPOSED),
        "day": data.get("day", ""),
        "scopes": SCOPES,
        "ends": ENDS,
        "max_name": MAX_NAME,
    }
    return render(request, "experiments/tokens.html", context, status=422 if problems else 200)
