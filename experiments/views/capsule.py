"""The capsule of a sweep as a file."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from experiments.capsules.response import capsule_response
from experiments.views.sweep_head import find_sweep


@require_safe
def download(request: HttpRequest, sweep_id: str) -> HttpResponseBase:
    """Send everything about a sweep as one HTML file."""
    sweep = find_sweep(request, sweep_id)
    # Whoever finds a sweep is signed in.
    return capsule_response(request, sweep, cast(User, request.user))
