"""API tokens as people make them: a name, a scope, an end; the same for pages and REST."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from django.contrib.auth.models import User

from experiments import clock
from experiments.models import ApiToken
from experiments.problems import Problem, ProblemsError
from experiments.services.access import make_api_token
from experiments.services.refused import Refused
from experiments.storable import is_storable

MAX_NAME: Final = 120
MOST_TOKENS: Final = 100
MOST_DAYS: Final = 3650
# What each scope lets a token do, for people who choose one.
SCOPES: Final[dict[str, str]] = {
    ApiToken.Scope.READ: "Look at everything that you may see.",
    ApiToken.Scope.WRITE: "Also submit, cancel and change sweeps, runs and models.",
    ApiToken.Scope.ADMIN: "Everything that you may do: also members, webhooks and tokens.",
}


def create_token(
    user: User,
    *,
    name: str,
    scope: str,
    expires_at: datetime | None,
    at_most: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token of a person; return its row and the token itself, which is never seen again.

    `at_most` is the end of the token that asks for another one: what it makes does not outlive it.

    Raises:
        ProblemsError: everything that is wrong with it.
        Refused: the person has as many as one may have.
    """
    name = name.strip()
    problems = _name_problems(name)
    if scope not in SCOPES:
        allowed = ", ".join(SCOPES)
        problems.append(Problem("scope", f"The scope is {scope[:40]!r}; use one of {allowed}."))
    if at_most is not None and (expires_at is None or expires_at > at_most):
        text = f"A token made with a token ends with it, on {at_most:%Y-%m-%d %H:%M} UTC or before."
        problems.append(Problem("expires", text))
    else:
        problems += _end_problems(expires_at)
    if problems:
        raise ProblemsError(problems)
    if ApiToken.objects.filter(user=user).count() >= MOST_TOKENS:
        raise Refused(f"You have {MOST_TOKENS} tokens already; revoke one first.")
    return make_api_token(user, name=name, scope=scope, expires=expires_at)


def end_of(choice: str, day: str = "") -> datetime | None:
    """Return the end that somebody chose: a number of days, "never", or "date" with a day.

    Raises:
        ProblemsError: it is none of these.
    """
    if choice == "never":
        return None
    if choice.isdecimal() and choice.isascii() and len(choice) < 6:
        return clock.now() + timedelta(days=int(choice))
    try:
        if choice == "date":
            # The whole of that day, in the time of the studio.
            last = datetime.combine(date.fromisoformat(day), time.max, tzinfo=clock.now().tzinfo)
            return last.replace(microsecond=0)
    except ValueError:
        text = f"The day is {day[:40]!r}; write it as 2027-01-31."
        raise ProblemsError([Problem("expires", text)]) from None
    raise ProblemsError([Problem("expires", "Choose when the token ends, or that it never does.")])


def _name_problems(name: str) -> list[Problem]:
    if not 0 < len(name) <= MAX_NAME or not is_storable(name) or not name.isprintable():
        text = f"The name has {len(name)} characters; use 1 to {MAX_NAME}, on one line."
        return [Problem("name", text)]
    return []


def _end_problems(expires_at: datetime | None) -> list[Problem]:
    now = clock.now()
    if expires_at is not None and not now < expires_at <= now + timedelta(days=MOST_DAYS + 1):
        text = f"The token would end on {expires_at:%Y-%m-%d}; choose a day from today on, within"
        return [Problem("expires", f"{text} ten years.")]
    return []
