"""Workspaces as people handle them: made, renamed, chosen, deleted; the personal one.

Who may do it is the caller's question; what must hold of a workspace is checked here.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from experiments import clock
from experiments.models import Membership, Workspace, WorkspaceSeat
from experiments.permissions import Role
from experiments.problems import Problem, ProblemsError
from experiments.queries.workspaces import contents_of
from experiments.services.audit import Act, record
from experiments.services.refused import Refused
from experiments.storable import is_storable

MAX_NAME: Final = 80
MAX_SLUG: Final = 60
MOST_OWNED: Final = 50
# Words that stand for something else in addresses.
_RESERVED: Final = frozenset({"new", "all", "none", "current"})
_TRIES: Final = 100


def create_workspace(name: str, *, user: User, slug: str = "") -> Workspace:
    """Make a workspace with its first Owner; without a short name one is made of the name.

    Raises:
        ProblemsError: the name cannot be one, or the short name is taken.
        Refused: the person owns as many as one may.
    """
    name, problems = _checked_name(name)
    slug = slug.strip()
    if slug:
        problems += _slug_problems(slug)
    if problems:
        raise ProblemsError(problems)
    if Membership.objects.filter(user=user, role=Role.OWNER).count() >= MOST_OWNED:
        raise Refused(f"You own {MOST_OWNED} workspaces already; delete or hand over one first.")
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(name=name, slug=slug or _free_slug(name))
            Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
            record(
                Act.WORKSPACE_CREATED,
                by=user,
                workspace=workspace,
                about=workspace.name,
                about_id=workspace.slug,
            )
    except IntegrityError:
        raise ProblemsError([_taken(slug or slugify(name))]) from None
    return workspace


def rename_workspace(workspace: Workspace, name: str, *, user: User) -> None:
    """Give a workspace another name; its short name and every address stay.

    Raises:
        ProblemsError: the name cannot be one.
    """
    name, problems = _checked_name(name)
    if problems:
        raise ProblemsError(problems)
    if name == workspace.name:
        return
    with transaction.atomic():
        before, workspace.name = workspace.name, name
        workspace.save(update_fields=["name"])
        details = {"from": before, "to": name}
        _note(Act.WORKSPACE_RENAMED, workspace, user, details)


def delete_workspace(workspace: Workspace, *, user: User) -> None:
    """Delete an empty workspace with its members, invitations, drafts and webhooks.

    Raises:
        Refused: something is still in it; the text says what.
    """
    with transaction.atomic():
        # Whoever submits at this moment waits, and then finds no workspace.
        locked = Workspace.objects.select_for_update().filter(pk=workspace.pk).first()
        if locked is None:
            return
        contents = contents_of(locked)
        if contents:
            raise Refused(
                f"“{locked.name}” is not empty: {', '.join(contents)}. Delete or move them first."
            )
        _note(Act.WORKSPACE_DELETED, locked, user, {})
        locked.delete()


def choose_workspace(user: User, workspace: Workspace) -> None:
    """Let a person work in a workspace from now on, in every browser and with every token."""
    WorkspaceSeat.objects.update_or_create(user=user, defaults={"current": workspace})


def ensure_personal_workspace(user: User) -> Workspace | None:
    """Make a person their own workspace at their first sign-in; None when they need none.

    Whoever owns one by then (the first administrator does) has a place of their own already. It is
    made once: whoever deletes theirs gets no other.
    """
    with transaction.atomic():
        seat, _ = WorkspaceSeat.objects.select_for_update().get_or_create(user=user)
        if seat.settled_at is not None:
            return None
        seat.settled_at = clock.now()
        made = None
        if not Membership.objects.filter(user=user, role=Role.OWNER).exists():
            made = seat.personal = _make_personal(user)
        seat.save(update_fields=["settled_at", "personal"])
    return made


def settle_at_sign_in(sender: object, user: User, **signal: Any) -> None:
    """Hear that somebody signed in, whichever way."""
    if WorkspaceSeat.objects.filter(user=user, settled_at__isnull=False).exists():
        return
    try:
        ensure_personal_workspace(user)
    except IntegrityError:
        # Somebody of nearly the same name signed in at this moment and took the short name.
        ensure_personal_workspace(user)


def _make_personal(user: User) -> Workspace:
    whose = user.get_full_name().strip() or user.get_username()
    name = f"{whose[: MAX_NAME - 14]}’s workspace"
    workspace = Workspace.objects.create(name=name, slug=_free_slug(user.get_username()))
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    _note(Act.WORKSPACE_CREATED, workspace, user, {"personal": True})
    return workspace


def _note(act: Act, workspace: Workspace, user: User, details: dict[str, Any]) -> None:
    name, slug = workspace.name, workspace.slug
    record(act, by=user, workspace=workspace, about=name, about_id=slug, details=details)


def _checked_name(text: str) -> tuple[str, list[Problem]]:
    name = " ".join(text.split()) if is_storable(text) else ""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        message = f"The name is {text[:40]!r}; use 1 to {MAX_NAME} characters on one line."
        return name, [Problem("name", message)]
    return name, []


def _slug_problems(slug: str) -> list[Problem]:
    if slug != slugify(slug) or not 0 < len(slug) <= MAX_SLUG:
        text = (
            f"The short name is {slug[:80]!r}; use 1 to {MAX_SLUG} lower-case letters, digits "
            "and hyphens."
        )
        return [Problem("slug", text)]
    if slug in _RESERVED or Workspace.objects.filter(slug=slug).exists():
        return [_taken(slug)]
    return []


def _taken(slug: str) -> Problem:
    return Problem("slug", f"The short name '{slug}' is taken; choose another one.")


def _free_slug(name: str) -> str:
    """Return a short name that nobody has; of two that choose at once one is told it is taken."""
    base = slugify(name)[: MAX_SLUG - 4].strip("-_") or "workspace"
    taken = set(
        Workspace.objects.filter(slug__startswith=base).values_list("slug", flat=True)
    ) | set(_RESERVED)
    tries = [base, *(f"{base}-{number}" for number in range(2, _TRIES))]
    return next((slug for slug in tries if slug not in taken), f"{base}-{len(taken) + 1}")
