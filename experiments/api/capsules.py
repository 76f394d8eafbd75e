"""REST: the capsule of a sweep, one HTML file."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router

from experiments.api.auth import READ, person_of, sweep_of
from experiments.capsules.response import capsule_response

router = Router(tags=["Sweeps"])

_FILE: Final = {
    "responses": {
        200: {"description": "The file", "content": {"text/html": {"schema": {"type": "string"}}}}
    }
}


@router.get("/{sweep_id}/capsule", auth=READ, openapi_extra=_FILE)
def get_capsule(request: HttpRequest, sweep_id: str) -> HttpResponseBase:
    """Download everything about a sweep as one HTML file that opens without a studio.

    It has charts, table, configuration, environment, hashes and every report; `studio import
    capsule` brings it into another studio.
    """
    return capsule_response(request, sweep_of(request, sweep_id), person_of(request))
