"""Actions of the administration that are asked about first: what was chosen, and what follows.

The page that asks posts the same action again with `confirmed`; so nothing happens by one click.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from experiments.services.audit import Act, record

Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]
# A form has a limited number of fields, and nobody reads more names than these.
MOST_ROWS: Final = 1000
_MOST_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked: the verb of the button, and in a sentence what follows."""

    verb: str
    follows: str
    is_danger: bool = False


def asking(verb: str, follows: str, *, is_danger: bool = False) -> Callable[[Action], Action]:
    """Ask before an action is carried out."""
    ask = Ask(verb, follows, is_danger)

    def decorate(action: Action) -> Action:
        @wraps(action)
        def asked(page: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
            if request.POST.get("confirmed") == "yes":
                _write_down(page, request, chosen, ask)
                return action(page, request, chosen)
            return _ask(page, request, chosen, action.__name__, ask)

        asked.ask = ask  # type: ignore[attr-defined]  # read by `ask_of`
        return asked

    return decorate


def _write_down(page: Any, request: HttpRequest, chosen: QuerySet[Any], ask: Ask) -> None:
    """Note in the audit log what an administrator does to which rows."""
    rows = [page.title_of(row) for row in chosen[:_MOST_NAMED]]
    about = f"{ask.verb}: {page.opts.verbose_name} {rows[0]}" if len(rows) == 1 else ask.verb
    details = {str(page.opts.verbose_name_plural): rows}
    record(Act.ADMIN_ACTION, by=person_of(request), about=about, details=details)


def ask_of(action: Any) -> Ask | None:
    """Return what is asked before an action; None: nothing."""
    found: Ask | None = getattr(action, "ask", None)
    return found


def person_of(request: HttpRequest) -> User:
    """Return who acts."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def tell(
    page: Any, request: HttpRequest, noun: str, verb: str, done: int, left: int, why_left: str
) -> None:
    """Say to how many rows something was done, and why not to the others."""
    if done:
        text = f"{verb} {done} {noun}{'' if done == 1 else 's'}."
        page.message_user(request, text, messages.SUCCESS)
    if left:
        text = f"{left} {noun}{'' if left == 1 else 's'} {why_left}."
        page.message_user(request, text, messages.WARNING)


def _ask(
    page: Any, request: HttpRequest, chosen: QuerySet[Any], name: str, ask: Ask
) -> HttpResponse | None:
    rows = list(chosen[: MOST_ROWS + 1])
    if len(rows) > MOST_ROWS:
        text = f"More than {MOST_ROWS} are chosen; choose fewer at a time."
        page.message_user(request, text, messages.ERROR)
        return None
    noun = page.opts.verbose_name_plural
    named = [page.title_of(row) for row in rows[:_MOST_NAMED]]
    context = {
        **page.admin_site.each_context(request),
        "title": f"{ask.verb}: {named[0] if len(rows) == 1 else f'{len(rows)} {noun}'}?",
        "opts": page.opts,
        "ask": ask,
        "action": name,
        "rows": rows,
        "named": named,
        "unnamed": max(0, len(rows) - _MOST_NAMED),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "admin/confirm_action.html", context)
