"""Bodies that operations read themselves, for the OpenAPI document: specifications and others."""

from __future__ import annotations

from typing import Any, Final

_MEDIA: Final = {"schema": {"$ref": "#/components/schemas/SweepSpec"}}


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the part of an operation that says its body is JSON of this schema."""
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


SPEC_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _MEDIA, "application/yaml": _MEDIA},
    }
}
