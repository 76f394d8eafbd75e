"""Which texts of the new-sweep form a draft keeps, and the form that it brings back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from experiments.forms.sweep_fields import SweepFields, fields_from_post

# What belongs to a request and not to the form.
_ASIDE: Final = frozenset(
    {"action", "draft", "draft_version", "draft_editor", "workspace", "yaml_edited"}
)


def draft_texts(posted: Mapping[str, str]) -> dict[str, str]:
    """Return what a draft keeps of posted texts.

    The YAML is another view of the same form; it is kept only while it cannot be taken over.
    """
    kept = {name: text for name, text in posted.items() if name not in _ASIDE}
    if not posted.get("yaml_edited"):
        kept.pop("yaml", None)
    return kept


def fields_of_draft(texts: Mapping[str, str], public_id: str, version: int) -> SweepFields:
    """Return the form as it was left."""
    fields = fields_from_post({str(name): str(text) for name, text in texts.items()})
    return fields.with_texts(draft=public_id, draft_version=str(version))


def version_of(text: str) -> int:
    """Return the version that a form posts; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
