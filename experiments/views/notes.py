"""Notes on a sweep: reading, writing with a preview, versions, and what to do about two edits."""

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
from experiments.models import NoteVersion, Sweep
from experiments.problems import ProblemsError
from experiments.queries.notes import note_history, notes_of
from experiments.services.notes import MAX_LENGTH, StaleNotes, write_notes
from experiments.text_merge import merge_texts
from experiments.views.sweep_head import changer_of, find_sweep

_SHOWN_VERSIONS: Final = 50


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a comparison: "same", "added" or "gone"."""

    kind: str
    text: str


@require_http_methods(["GET", "HEAD", "POST"])
def notes(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show the notes with their history and, for those who may change them, an editor.

    An edit of a version that is not the newest any more is answered with 409 and both texts.
    """
    sweep = find_sweep(request, sweep_id)
    if request.method == "POST":
        return _save(request, sweep)
    current = notes_of(sweep)
    return _render(request, sweep, current, text=current.text if current else "")


@require_POST
def preview(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Return what a text will look like."""
    changer_of(request, find_sweep(request, sweep_id))
    text = request.POST.get("text", "")[:MAX_LENGTH]
    return JsonResponse({"html": render_markdown(text)})


@require_safe
def version(request: HttpRequest, sweep_id: str, number: int) -> HttpResponse:
    """Show one version, and what changed with it."""
    sweep = find_sweep(request, sweep_id)
    found = {note.number: note for note in note_history(sweep, before=number + 1, limit=2)}
    note = found.get(number)
    if note is None:
        raise Http404(f"There is no version {number} of these notes.")
    before = found.get(number - 1)
    context = {
        "sweep": sweep,
        "note": note,
        "is_newest": notes_of(sweep) == note,
        "lines": list(diff_lines(before.text if before else "", note.text)),
        "can_change": queries.may_write(request.user, sweep.experiment.workspace),
        "previous": number - 1 if before else None,
    }
    return render(request, "experiments/note_version.html", context)


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


def _save(request: HttpRequest, sweep: Sweep) -> HttpResponse:
    user = changer_of(request, sweep)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    base = request.POST.get("version", "")
    number = int(base) if base.isdecimal() and len(base) < 9 else 0
    try:
        write_notes(sweep, text, base=number, user=user)
    except ProblemsError as error:
        problem = error.problems[0].message
        return _render(request, sweep, notes_of(sweep), text=text, problem=problem, status=422)
    except StaleNotes as stale:
        return _conflict(request, sweep, stale.current, text, number)
    messages.info(request, "The notes are saved.")
    return redirect(f"{reverse('sweep', args=[sweep.public_id])}#notes")


def _conflict(
    request: HttpRequest, sweep: Sweep, current: NoteVersion | None, mine: str, base: int
) -> HttpResponse:
    """Offer both edits merged, as far as they can be; nothing that was typed is lost."""
    was = NoteVersion.objects.filter(sweep=sweep, number=base).first()
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
    return _render(request, sweep, current, text=merged.text, status=409, **extra)


def _render(
    request: HttpRequest,
    sweep: Sweep,
    current: NoteVersion | None,
    *,
    text: str,
    status: int = 200,
    **extra: Any,
) -> HttpResponse:
    context = {
        "sweep": sweep,
        "notes": current,
        "text": text,
        "number": current.number if current else 0,
        "max_length": MAX_LENGTH,
        "history": note_history(sweep, limit=_SHOWN_VERSIONS),
        "can_change": queries.may_write(request.user, sweep.experiment.workspace),
        **extra,
    }
    return render(request, "experiments/sweep_notes.html", context, status=status)
