"""Text from outside made fit for the database: PostgreSQL takes neither NUL nor half characters."""

from __future__ import annotations


def clean_text(text: str, limit: int) -> str:
    """Return `text` without NUL and lone surrogates, cut to `limit` characters."""
    cleaned = text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")
    return cleaned if len(cleaned) <= limit else f"{cleaned[: limit - 1]}…"
