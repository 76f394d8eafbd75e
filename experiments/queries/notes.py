"""Notes on sweeps and runs as people and programs read them: the newest, and those before it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from experiments.markdown import render_markdown
from experiments.models import NoteVersion, Run, Sweep


def versions_of(subject: Sweep | Run) -> QuerySet[NoteVersion]:
    """Return every version of the notes on a sweep or a run, newest first."""
    if isinstance(subject, Run):
        found = NoteVersion.objects.filter(run=subject)
    else:
        found = NoteVersion.objects.filter(sweep=subject, run=None)
    return found.order_by("-number")


def notes_of(subject: Sweep | Run) -> NoteVersion | None:
    """Return the newest version of the notes; None while nobody has written any."""
    return versions_of(subject).first()


def note_history(
    subject: Sweep | Run, *, before: int | None = None, limit: int = 50
) -> list[NoteVersion]:
    """Return the versions below `before`, newest first."""
    found = versions_of(subject)
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
