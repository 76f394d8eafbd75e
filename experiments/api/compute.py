"""REST: compute targets with their workers and load."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from experiments import queries
from experiments.api.auth import READ, person_of
from experiments.api.schemas import ComputePage

router = Router(tags=["Compute"])


@router.get("", auth=READ, response=ComputePage)
def list_compute(request: HttpRequest) -> dict[str, Any]:
    """List the compute targets that you may use."""
    return {"items": queries.compute_json(person_of(request)), "next_cursor": None}
