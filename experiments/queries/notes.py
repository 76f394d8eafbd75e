"""Notes on sweeps as people and programs read them: the newest version, and those before it."""

from __future__ import annotations

from typing import Any

from experiments.markdown import render_markdown
from experiments.models import NoteVersion, Sweep


def notes_of(sweep: Sweep) -> NoteVersion | None:
    """Return the newest version of the notes; None while nobody has written any."""
    return NoteVersion.objects.filter(sweep=sweep).order_by("-number").first()


def note_history(sweep: Sweep, *, before: int | None = None, limit: int = 50) -> list[NoteVersion]:
    """Return the versions below `before`, newest first."""
    found = NoteVersion.objects.filter(sweep=sweep).order_by("-number")
    return list((found if before is None else found.filter(number__lt=before))[:limit])


def note_json(note: NoteVersion | None) -> dict[str, Any]:
    """Return the JSON form of notes; version 0 is that nobody has written any."""
    if note is None:
        return {"version": 0, "text": "", "html": "", "author": None, "changed": None}
    return {
        "version": note.number,
        "text": note.text,
        "html": render_markdown(note.text),
        "author": note.author_name,
        "changed": note.created_at,
    }
