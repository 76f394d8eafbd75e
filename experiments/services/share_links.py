"""Links to share: made, revoked, noted when used. What they open is decided in queries.shared."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from experiments import clock
from experiments.models import Event, ShareLink, Sweep
from experiments.problems import Problem, ProblemsError
from experiments.services.audit import Act, record
from experiments.services.events import append_event
from experiments.services.refused import Refused
from experiments.storable import is_storable

DAYS: Final = (1, 7, 30, 90, 365)
MAX_LINKS: Final = 50
MAX_NAME: Final = 120
_USED_AT_RESOLUTION: Final = timedelta(minutes=1)


def create_share_link(
    sweep: Sweep,
    *,
    user: User,
    days: int,
    name: str = "",
    with_reasons: bool = False,
    with_files: bool = False,
) -> ShareLink:
    """Make a link that shows a sweep to whoever has it, for so many days; the log says who did.

    Raises:
        ProblemsError: the name or the number of days cannot be.
        Refused: the sweep has as many live links as it may have.
    """
    name = name.strip()
    problems = []
    if not 1 <= days <= max(DAYS):
        problems.append(Problem("days", f"A link lives 1 to {max(DAYS)} days, not {days}."))
    if len(name) > MAX_NAME:
        text = f"The name has {len(name)} characters; use at most {MAX_NAME}."
        problems.append(Problem("name", text))
    if not is_storable(name):
        text = "The name has a null character or half a character; remove it."
        problems.append(Problem("name", text))
    if problems:
        raise ProblemsError(problems)
    now = clock.now()
    live = ShareLink.objects.filter(sweep=sweep, revoked_at__isnull=True, expires_at__gt=now)
    if live.count() >= MAX_LINKS:
        raise Refused(f"The sweep has {MAX_LINKS} live links already; revoke one first.")
    with transaction.atomic():
        message = f"Share link: made{_named(name)} by {user.get_username()}, for {_days(days)}"
        message += _allowing(with_reasons=with_reasons, with_files=with_files)
        append_event(sweep.pk, Event.Kind.NOTICE, message, by=user)
        link = ShareLink.objects.create(
            sweep=sweep,
            name=name,
            created_by=user,
            created_at=now,
            expires_at=now + timedelta(days=days),
            with_reasons=with_reasons,
            with_files=with_files,
        )
        _record(Act.SHARE_LINK_MADE, link, user)
    return link


def revoke_share_link(link: ShareLink, *, user: User) -> bool:
    """Make a link useless at once; False when somebody did before."""
    with transaction.atomic():
        live = ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True)
        if not live.update(revoked_at=clock.now(), revoked_by=user):
            return False
        message = f"Share link: revoked{_named(link.name)} by {user.get_username()}"
        append_event(link.sweep_id, Event.Kind.NOTICE, message, by=user)
        _record(Act.SHARE_LINK_REVOKED, link, user)
    return True


def note_use(link: ShareLink) -> None:
    """Note that a link was opened; once a minute is enough."""
    now = clock.now()
    if link.used_at is None or now - link.used_at > _USED_AT_RESOLUTION:
        ShareLink.objects.filter(pk=link.pk).update(used_at=now)


def _record(act: Act, link: ShareLink, user: User) -> None:
    sweep = link.sweep
    record(
        act,
        by=user,
        workspace=sweep.experiment.workspace,
        about=sweep.name,
        about_id=sweep.public_id,
        details={
            "link": link.name or str(link.pk),
            "until": link.expires_at,
            "reasons and logs": link.with_reasons,
            "outputs": link.with_files,
        },
    )


def _named(name: str) -> str:
    return f" for “{name}”" if name else ""


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _allowing(*, with_reasons: bool, with_files: bool) -> str:
    parts = [
        *(["reasons and logs of runs"] if with_reasons else []),
        *(["outputs of the best run"] if with_files else []),
    ]
    return f", with {' and '.join(parts)}" if parts else ""
