"""A specification as a request body in the OpenAPI document: JSON or YAML, one schema."""

from __future__ import annotations

from typing import Any, Final

_MEDIA: Final = {"schema": {"$ref": "#/components/schemas/SweepSpec"}}

SPEC_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _MEDIA, "application/yaml": _MEDIA},
    }
}
