"""Opaque cursors of paged lists: what a client sends back to get the next page."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from ninja import Query

from experiments.problems import Problem, ProblemsError

Limit = Annotated[int, Query(ge=1, le=500, description="Entries on a page.")]
Cursor = Annotated[
    str,
    Query(max_length=200, description="`next_cursor` of the page before; empty: the first page."),
]


def encode_cursor(position: int) -> str:
    """Return the cursor of the page that starts after `position`."""
    return urlsafe_b64encode(json.dumps([position]).encode()).decode().rstrip("=")


def decode_cursor(text: str) -> int | None:
    """Return the position that a cursor stands for, None for the first page.

    Raises:
        ProblemsError: the text is not a cursor that this API gave out.
    """
    if not text:
        return None
    try:
        value = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        value = None
    match value:
        case [int(position)] if 0 <= position < 2**63:
            return position
    raise ProblemsError(
        [Problem("cursor", f"'{text}' is not a cursor; send the next_cursor of the page before.")]
    )
