"""Named views of an experiment's runs, and the columns that a person chose last.

What a view may hold is checked here; who may see the experiment is the caller's question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from experiments.models import ColumnChoice, Experiment, SavedView
from experiments.permissions import Action
from experiments.problems import Problem, ProblemsError
from experiments.queries.visible import allowed_in
from experiments.run_filter_terms import split_terms
from experiments.services.refused import Refused
from experiments.storable import is_storable

MAX_NAME: Final = 80
MAX_VIEWS: Final = 100
MAX_COLUMNS: Final = 200
MAX_KEY: Final = 300


@dataclass(frozen=True, slots=True)
class ViewContent:
    """What a view remembers of a table."""

    filter: str = ""
    state: str = ""
    columns: Sequence[str] = ()
    sort: str = ""
    descending: bool = False


def may_change_view(view: SavedView, user: User) -> bool:
    """Tell whether a person may change and delete a view: its owner, owners of the workspace."""
    if view.owner_id == user.pk:
        return True
    return Action.CHANGE_ANY_VIEW in allowed_in(user, view.experiment.workspace_id)


def save_view(experiment: Experiment, name: str, content: ViewContent, *, user: User) -> SavedView:
    """Store a new view of a person.

    Raises:
        ProblemsError: the name is empty, too long or taken; the content is more than a view holds.
        Refused: the experiment has as many views as it may have.
    """
    name = _checked(name, content)
    if SavedView.objects.filter(experiment=experiment).count() >= MAX_VIEWS:
        raise Refused(f"The experiment has {MAX_VIEWS} views already; delete one first.")
    fields = _fields(content)
    try:
        with transaction.atomic():
            return SavedView.objects.create(experiment=experiment, name=name, owner=user, **fields)
    except IntegrityError:
        raise _taken(name) from None


def change_view(
    view: SavedView, *, user: User, name: str | None = None, content: ViewContent | None = None
) -> SavedView:
    """Give a view another name, other content, or both.

    Raises:
        ProblemsError: as for a new view.
        Refused: the view belongs to somebody else.
    """
    _check_owner(view, user, "changed")
    view.name = _checked(view.name if name is None else name, content or ViewContent())
    for field, value in _fields(content).items() if content else ():
        setattr(view, field, value)
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise _taken(view.name) from None
    return view


def delete_view(view: SavedView, *, user: User) -> None:
    """Delete a view.

    Raises:
        Refused: it belongs to somebody else.
    """
    _check_owner(view, user, "deleted")
    view.delete()


def set_default_view(experiment: Experiment, view: SavedView | None) -> None:
    """Let the tables of an experiment open with this view, or with none."""
    with transaction.atomic():
        # One statement takes the mark away before another gives it: the constraint holds between.
        SavedView.objects.filter(experiment=experiment, is_default=True).update(is_default=False)
        if view is not None:
            SavedView.objects.filter(pk=view.pk, experiment=experiment).update(is_default=True)


def remember_columns(experiment: Experiment, columns: Sequence[str], *, user: User) -> None:
    """Remember the columns that a person chose; none: forget the choice.

    Raises:
        ProblemsError: there are too many, or names that cannot be columns.
    """
    problems = list(_column_problems(columns))
    if problems:
        raise ProblemsError(problems)
    if columns:
        ColumnChoice.objects.update_or_create(
            experiment=experiment, user=user, defaults={"columns": list(columns)}
        )
    else:
        ColumnChoice.objects.filter(experiment=experiment, user=user).delete()


def _check_owner(view: SavedView, user: User, done: str) -> None:
    if not may_change_view(view, user):
        owner = view.owner.get_username() if view.owner else "somebody who is gone"
        raise Refused(
            f"“{view.name}” belongs to {owner}: it can be {done} by them and by owners of the "
            "workspace. Save it under another name to have one of your own."
        )


def _taken(name: str) -> ProblemsError:
    text = f"There is a view “{name}” in this experiment already; choose another name."
    return ProblemsError([Problem("name", text)])


def _fields(content: ViewContent) -> dict[str, Any]:
    return {
        "filter": content.filter,
        "state": content.state,
        "columns": list(content.columns),
        "sort": content.sort,
        "descending": content.descending,
    }


def _checked(name: str, content: ViewContent) -> str:
    name = " ".join(name.split())
    problems = []
    if not 0 < len(name) <= MAX_NAME:
        text = f"The name has {len(name)} characters; use 1 to {MAX_NAME}."
        problems.append(Problem("name", text))
    elif not is_storable(name):
        problems.append(Problem("name", "The name has a character that cannot be stored."))
    problems += _column_problems(content.columns)
    if len(content.sort) > MAX_KEY or len(content.state) > 20:
        problems.append(Problem("sort", "The view sorts by something that is no column."))
    try:
        split_terms(content.filter)
    except ProblemsError as error:
        problems += error.problems
    if problems:
        raise ProblemsError(problems)
    return name


def _column_problems(columns: Sequence[str]) -> list[Problem]:
    if len(columns) > MAX_COLUMNS:
        text = f"There are {len(columns)} columns; use at most {MAX_COLUMNS}."
        return [Problem("columns", text)]
    if any(not 0 < len(key) <= MAX_KEY or not is_storable(key) for key in columns):
        return [Problem("columns", f"A column has no name of 1 to {MAX_KEY} characters.")]
    return []
