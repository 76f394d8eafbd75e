"""`/metrics`: what Prometheus reads, for those who look after the studio.

It tells of all workspaces, so it is for administrators and for whoever has STUDIO_METRICS_TOKEN.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import exposition

from experiments.services import access
from studio.http_metrics import REGISTRY
from studio.metric_families import Studio

REGISTRY.register(Studio())
_PLAIN: Final = "text/plain; charset=utf-8"
_WHO: Final = (
    "Send the header 'Authorization: Bearer TOKEN': the value of STUDIO_METRICS_TOKEN, or an API "
    "token of an administrator (`studio token create NAME --scope read`).\n"
)
_ADMINISTRATORS: Final = "The metrics tell of all workspaces; only administrators read them.\n"


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape in the format it asks for."""
    refused = _refusal(request)
    if refused is not None:
        return refused
    encode, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
    response = HttpResponse(encode(REGISTRY), content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    return response


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the refusal of somebody who may not read the metrics; None for who may."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    own = settings.STUDIO_METRICS_TOKEN
    if own and token and constant_time_compare(token, own):
        return None
    try:
        person = _person(request, token)
    except DatabaseError:
        text = "The database does not answer; only STUDIO_METRICS_TOKEN opens this page now.\n"
        return HttpResponse(text, status=503, content_type=_PLAIN)
    if person is None:
        challenge = {"WWW-Authenticate": "Bearer"}
        return HttpResponse(_WHO, status=401, content_type=_PLAIN, headers=challenge)
    if not person.is_superuser:
        return HttpResponse(_ADMINISTRATORS, status=403, content_type=_PLAIN)
    return None


def _person(request: HttpRequest, token: str) -> User | None:
    """Return who asks, by an API token or by the session of a browser."""
    if token:
        found = access.find_api_token(token)
        return found.user if found else None
    return request.user if request.user.is_authenticated else None
