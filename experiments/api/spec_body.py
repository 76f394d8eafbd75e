"""The OpenAPI description of a specification as a request body."""

from __future__ import annotations

from typing import Any, Final

from experiments.spec import SweepSpec

_SCHEMA: Final[dict[str, Any]] = SweepSpec.model_json_schema(
    ref_template="#/components/schemas/{model}"
)
