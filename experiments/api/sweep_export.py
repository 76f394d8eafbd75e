"""REST: the specification of a sweep as a text for elsewhere.

An operation of the router of api.sweeps.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query

from experiments.api.auth import READ, sweep_of
from experiments.api.sweep_life import router
from experiments.spec import SweepSpec
from experiments.spec_export import EXPORT_FORMATS, export_spec

__all__ = ["router"]

FormatName = Literal["yaml", "json", "python", "azure"]
# What a reader of the type gets out of the text.
_TYPES: Final = {"application/json": "object", "application/yaml": "object"}
_TEXTS: Final = {
    "responses": {
        200: {
            "description": "The text",
            "content": {
                made.content_type: {"schema": {"type": _TYPES.get(made.content_type, "string")}}
                for made in EXPORT_FORMATS.values()
            },
        }
    }
}


@router.get("/{sweep_id}/export", auth=READ, openapi_extra=_TEXTS)
def export_sweep(
    request: HttpRequest,
    sweep_id: str,
    format: Annotated[  # noqa: A002 - the word of the address
        FormatName,
        Query(description="python: a program; azure: a sweep job of Azure ML v2."),
    ] = "yaml",
) -> HttpResponse:
    """Read the specification as YAML, JSON, a Python program or an Azure ML v2 sweep job.

    YAML and JSON can be submitted again as they are, with their code. What the other two cannot
    say stands in comments at their top.
    """
    exported = export_spec(SweepSpec.from_stored(sweep_of(request, sweep_id).spec), format)
    return HttpResponse(
        exported.text, content_type=f"{exported.format.content_type}; charset=utf-8"
    )
