"""Writing notes: each edit is a version, and an edit of an old version is not stored."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from experiments.models import Event, NoteVersion, Run, Sweep
from experiments.problems import Problem, ProblemsError
from experiments.queries.notes import notes_of
from experiments.services.events import bump, notify, write_event
from experiments.storable import is_storable

MAX_LENGTH: Final = 30_000


class StaleNotes(Exception):  # noqa: N818 - an expected race, often no error
    """Somebody changed the notes since the version that was edited; `current` is what they are."""

    def __init__(self, current: NoteVersion | None, base: int) -> None:
        self.current = current
        number = current.number if current else 0
        who = f", by {current.author_name}" if current else ""
        super().__init__(
            f"The notes are at version {number}{who}; yours began from version {base}. "
            "Merge both texts and save again."
        )


def write_notes(subject: Sweep | Run, text: str, *, base: int, user: User) -> NoteVersion:
    """Store the next version of the notes on a sweep or a run; `base` is what was edited.

    A text that is there already is no new version.

    Raises:
        ProblemsError: the text is too long, or no database can hold it.
        StaleNotes: the notes are at another version.
    """
    # What a form sends has the line ends of the network.
    text = text.replace("\r\n", "\n").rstrip()
    if len(text) > MAX_LENGTH:
        message = f"The notes have {len(text)} characters; at most {MAX_LENGTH} are kept."
        raise ProblemsError([Problem("text", message)])
    if not is_storable(text):
        message = "The notes have a null character or half a character; remove it."
        raise ProblemsError([Problem("text", message)])
    run = subject if isinstance(subject, Run) else None
    sweep = subject.sweep if isinstance(subject, Run) else subject
    with transaction.atomic():
        # The bump locks the sweep's row: of two edits at once the second sees the first.
        cursor = bump(sweep.pk)
        current = notes_of(subject)
        if current is not None and current.text == text:
            return current
        if base != (current.number if current else 0):
            raise StaleNotes(current, base)
        number = base + 1
        name = user.get_username()
        note = NoteVersion.objects.create(
            sweep=sweep, run=run, number=number, text=text, author=user, author_name=name
        )
        about = f" on run {run.number}" if run else ""
        message = f"Notes{about}: version {number} by {name}"
        run_id = run.pk if run else None
        write_event(sweep.pk, cursor, Event.Kind.NOTICE, message, run_id=run_id, by=user)
        notify(sweep.pk, lists=False)
    return note
