"""The trash of a workspace: sweeps go there and come back; services.purge deletes them for good."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from experiments import clock
from experiments.models import Event, Sweep
from experiments.services.audit import Act, record
from experiments.services.events import bump, notify, write_event
from experiments.services.refused import Refused
from experiments.space.literals import brief
from experiments.states import badge


def trash_sweep(sweep: Sweep, *, user: User) -> bool:
    """Move an ended sweep to the trash: no list, number or choice knows it any more.

    False when it is there already. Models registered from its runs have their own files and stay.

    Raises:
        Refused: it has not ended.
        Sweep.DoesNotExist: it was removed for good meanwhile.
    """
    with transaction.atomic():
        cursor = bump(sweep.pk)
        fresh = Sweep.objects.select_related("experiment__workspace").get(pk=sweep.pk)
        if fresh.trashed_at is not None:
            return False
        if not fresh.is_terminal:
            label = badge(fresh.state, fresh.end_reason).label.lower()
            raise Refused(
                f"The sweep {brief(fresh.name)} is {label}. Only sweeps that have ended can be "
                "moved to the trash; cancel it first."
            )
        _update(fresh, trashed_at=clock.now(), trashed_by=user)
        _log(fresh, cursor, f"Sweep: moved to the trash by {user.get_username()}", user)
        _record(Act.SWEEP_TRASHED, fresh, user)
    return True


def restore_sweep(sweep: Sweep, *, user: User) -> bool:
    """Bring a sweep back from the trash, as it was; False when it is not there any more.

    Raises:
        Refused: it is being deleted for good.
        Sweep.DoesNotExist: it was removed for good meanwhile.
    """
    with transaction.atomic():
        cursor = bump(sweep.pk)
        fresh = Sweep.objects.select_related("experiment__workspace").get(pk=sweep.pk)
        if fresh.trashed_at is None:
            return False
        if fresh.purging_at is not None:
            text = f"The sweep {brief(fresh.name)} is being deleted for good; it cannot come back."
            raise Refused(text)
        _update(fresh, trashed_at=None, trashed_by=None)
        _log(fresh, cursor, f"Sweep: restored from the trash by {user.get_username()}", user)
        _record(Act.SWEEP_RESTORED, fresh, user)
    return True


def _update(sweep: Sweep, **fields: object) -> None:
    Sweep.objects.filter(pk=sweep.pk).update(**fields)


def _record(act: Act, sweep: Sweep, user: User) -> None:
    workspace = sweep.experiment.workspace
    record(act, by=user, workspace=workspace, about=sweep.name, about_id=sweep.public_id)


def _log(sweep: Sweep, cursor: int, message: str, user: User) -> None:
    write_event(sweep.pk, cursor, Event.Kind.NOTICE, message, by=user)
    notify(sweep.pk)
