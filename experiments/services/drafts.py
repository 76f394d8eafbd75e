"""Keeps what is typed into the new-sweep form, so that leaving loses nothing.

A form that was changed in two windows becomes two drafts: neither overwrites the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q

from experiments import clock
from experiments.models import SweepDraft, Workspace
from experiments.problems import ProblemsError
from experiments.services.refused import Refused
from experiments.storable import unstorable_texts

# The oldest ones make room for newer ones.
MAX_DRAFTS: Final = 20
MAX_CHARACTERS: Final = 400_000
DISCARDED_FOR: Final = timedelta(days=1)
_MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class DraftPlace:
    """Which draft a form belongs to: its id and version as the page knows them, and the page.

    Without an id the form has no draft yet, unless its page (`editor`) saved one meanwhile.
    """

    public_id: str = ""
    version: int = 0
    editor: str = ""


def save_draft(
    texts: Mapping[str, str], place: DraftPlace, *, owner: User, workspace: Workspace
) -> SweepDraft:
    """Store the texts of a form; return its draft.

    That is a new one where the form has none, and where another page changed it since: then both
    stay.

    Raises:
        ProblemsError: a text holds what a database cannot.
        Refused: the texts are longer than a draft may be.
    """
    _check(texts)
    name = texts.get("name", "").strip()[:_MAX_NAME]
    with transaction.atomic():
        draft = _change(texts, name, place, owner, workspace)
        if draft is None:
            draft = SweepDraft.objects.create(
                public_id=secrets.token_urlsafe(12),
                workspace=workspace,
                owner=owner,
                name=name,
                texts=dict(texts),
                editor=place.editor,
            )
            _make_room(owner, workspace)
    return draft


def discard_draft(draft: SweepDraft) -> None:
    """Throw a draft away; `restore_draft` brings it back for a day."""
    SweepDraft.objects.filter(pk=draft.pk).update(
        discarded_at=clock.now(), version=F("version") + 1
    )


def restore_draft(draft: SweepDraft) -> None:
    """Bring a discarded draft back."""
    SweepDraft.objects.filter(pk=draft.pk).update(discarded_at=None)


def finish_draft(public_id: str, *, owner: User) -> None:
    """Delete the draft whose sweep was started."""
    if public_id:
        SweepDraft.objects.filter(public_id=public_id, owner=owner).delete()


def _change(
    texts: Mapping[str, str], name: str, place: DraftPlace, owner: User, workspace: Workspace
) -> SweepDraft | None:
    """Change the draft of the form and return it; None where that would overwrite another's."""
    own = SweepDraft.objects.filter(owner=owner, workspace=workspace, discarded_at__isnull=True)
    if place.public_id:
        # The same page may save again before it heard of its last version.
        may = Q(version=place.version) | (Q(editor=place.editor) if place.editor else Q(pk=None))
        own = own.filter(may, public_id=place.public_id)
    elif place.editor:
        own = own.filter(editor=place.editor)
    else:
        return None
    draft = own.order_by("-changed_at").first()
    if draft is None:
        return None
    # Compare and set: of two pages that save at once, one comes too late.
    same = SweepDraft.objects.filter(pk=draft.pk, version=draft.version)
    is_ours = same.update(
        texts=dict(texts),
        name=name,
        editor=place.editor,
        version=F("version") + 1,
        changed_at=clock.now(),
    )
    if not is_ours:
        return None
    draft.refresh_from_db()
    return draft


def _make_room(owner: User, workspace: Workspace) -> None:
    drafts = SweepDraft.objects.filter(owner=owner, workspace=workspace)
    drafts.filter(discarded_at__lt=clock.now() - DISCARDED_FOR).delete()
    kept = drafts.order_by("-changed_at").values_list("pk", flat=True)[:MAX_DRAFTS]
    drafts.exclude(pk__in=list(kept)).delete()


def _check(texts: Mapping[str, str]) -> None:
    if problems := list(unstorable_texts(dict(texts))):
        raise ProblemsError(problems)
    length = sum(len(name) + len(text) for name, text in texts.items())
    if length > MAX_CHARACTERS:
        raise Refused(
            f"The form holds {length} characters; a draft keeps up to {MAX_CHARACTERS}. "
            "Save it as YAML instead."
        )
