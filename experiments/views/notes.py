"""Notes on a sweep or a run: reading, writing with a preview, versions, merging two edits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from experiments import queries
from experiments.markdown import render_markdown
from experiments.models import NoteVersion, Run, Sweep
from experiments.permissions import Action
from experiments.problems import ProblemsError
from experiments.queries.notes import note_history, notes_of, versions_of
from experiments.services.notes import MAX_LENGTH, StaleNotes, write_notes
from experiments.text_merge import merge_texts
from experiments.views.runs import find_run
from experiments.views.sweep_head import changer_of, find_sweep

_SHOWN_VERSIONS: Final = 50


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a comparison: "same", "added" or "gone"."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """What notes are on, and where their pages are."""

    sweep: Sweep
    run: Run | None = None

    @property
    def subject(self) -> Sweep | Run:
        """The sweep or the run."""
        return self.run or self.sweep

    @property
    def title(self) -> str:
        """What the notes are on, in words."""
        return f"Run {self.run.number} · {self.sweep.name}" if self.run else self.sweep.name

    @property
    def url(self) -> str:
        """The page that shows the newest version."""
        return f"{self.subject.get_absolute_url()}#notes"

    @property
    def pages(self) -> str:
        """The page of the notes; those of its versions lie below it."""
        name = "run_notes" if self.run else "sweep_notes"
        return reverse(name, args=[self.subject.public_id])


@require_http_methods(["GET", "HEAD", "POST"])
def notes(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show the notes with their history and, for those who may change them, an editor.

    An edit of a version that is not the newest any more is answered with 409 and both texts.
    """
    return _notes(request, Place(find_sweep(request, sweep_id)))


@require_http_methods(["GET", "HEAD", "POST"])
def run_notes(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show the notes on a run, as those on a sweep."""
    return _notes(request, _run_place(request, run_id))


@require_POST
def preview(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Return what a text will look like."""
    changer_of(request, find_sweep(request, sweep_id))
    text = request.POST.get("text", "")[:MAX_LENGTH]
    return JsonResponse({"html": render_markdown(text)})


@require_safe
def version(request: HttpRequest, sweep_id: str, number: int) -> HttpResponse:
    """Show one version, and what changed with it."""
    return _version(request, Place(find_sweep(request, sweep_id)), number)


@require_safe
def run_version(request: HttpRequest, run_id: str, number: int) -> HttpResponse:
    """Show one version of the notes on a run."""
    return _version(request, _run_place(request, run_id), number)


def diff_lines(before: str, after: str) -> Iterator[DiffLine]:
    """Yield the lines of two texts, each once."""
    old = before.split("\n") if before else []
    new = after.split("\n") if after else []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "equal":
            yield from (DiffLine("same", text) for text in old[i:i_end])
            continue
        yield from (DiffLine("gone", text) for text in old[i:i_end])
        yield from (DiffLine("added", text) for text in new[j:j_end])


def _run_place(request: HttpRequest, run_id: str) -> Place:
    run = find_run(request, run_id)
    return Place(run.sweep, run)


def _notes(request: HttpRequest, place: Place) -> HttpResponse:
    if request.method == "POST":
        return _save(request, place)
    current = notes_of(place.subject)
    return _render(request, place, current, text=current.text if current else "")


def _version(request: HttpRequest, place: Place, number: int) -> HttpResponse:
    found = {note.number: note for note in note_history(place.subject, before=number + 1, limit=2)}
    note = found.get(number)
    if note is None:
        raise Http404(f"There is no version {number} of these notes.")
    before = found.get(number - 1)
    context = {
        "place": place,
        "note": note,
        "is_newest": notes_of(place.subject) == note,
        "lines": list(diff_lines(before.text if before else "", note.text)),
        "previous": number - 1 if before else None,
    }
    return render(request, "experiments/note_version.html", context)


def _save(request: HttpRequest, place: Place) -> HttpResponse:
    user = changer_of(request, place.sweep)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    base = request.POST.get("version", "")
    number = int(base) if base.isdecimal() and len(base) < 9 else 0
    try:
        write_notes(place.subject, text, base=number, user=user)
    except ProblemsError as error:
        problem = error.problems[0].message
        current = notes_of(place.subject)
        return _render(request, place, current, text=text, problem=problem, status=422)
    except StaleNotes as stale:
        return _conflict(request, place, stale.current, text, number)
    messages.info(request, "The notes are saved.")
    return redirect(place.url)


def _conflict(
    request: HttpRequest, place: Place, current: NoteVersion | None, mine: str, base: int
) -> HttpResponse:
    """Offer both edits merged, as far as they can be; nothing that was typed is lost."""
    was = versions_of(place.subject).filter(number=base).first()
    theirs = current.text if current else ""
    old = was.text if was else ""
    merged = merge_texts(old, mine, theirs)
    extra = {
        "merged": merged,
        "mine": mine,
        "theirs": theirs,
        "their_lines": list(diff_lines(old, theirs)),
        "my_lines": list(diff_lines(old, mine)),
        "base": base,
    }
    return _render(request, place, current, text=merged.text, status=409, **extra)


def _render(
    request: HttpRequest,
    place: Place,
    current: NoteVersion | None,
    *,
    text: str,
    status: int = 200,
    **extra: Any,
) -> HttpResponse:
    context = {
        "place": place,
        "notes": current,
        "text": text,
        "number": current.number if current else 0,
        "max_length": MAX_LENGTH,
        "history": note_history(place.subject, limit=_SHOWN_VERSIONS),
        "can_change": queries.may(
            request.user, place.sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP
        ),
        **extra,
    }
    return render(request, "experiments/sweep_notes.html", context, status=status)
