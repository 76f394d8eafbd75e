"""The specification of a sweep as a file."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from experiments.spec import SweepSpec
from experiments.spec_export import EXPORT_FORMATS, export_spec
from experiments.views.sweep_head import find_sweep


@require_safe
def download(request: HttpRequest, sweep_id: str, format_name: str) -> HttpResponse:
    """Send the specification in one of the formats."""
    sweep = find_sweep(request, sweep_id)
    if format_name not in EXPORT_FORMATS:
        raise Http404
    exported = export_spec(SweepSpec.from_stored(sweep.spec), format_name)
    response = HttpResponse(
        exported.text, content_type=f"{exported.format.content_type}; charset=utf-8"
    )
    response["Content-Disposition"] = content_disposition_header(True, exported.file_name)
    response["X-Content-Type-Options"] = "nosniff"
    return response
