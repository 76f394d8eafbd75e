"""Delete sweeps in the trash for good: a person does it, or the studio when they are old enough."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from experiments import clock
from experiments.models import Removal, Run, Sweep
from experiments.queries.site_settings import days_in_trash
from experiments.queries.sizes import stored_bytes
from experiments.queries.watch import if_any
from experiments.services.audit import Act, record
from experiments.services.events import bump, notify
from experiments.services.refused import Refused
from experiments.space.literals import brief
from experiments.states import SWEEP_ACTIVE


def delete_for_good(sweep: Sweep, *, user: User | None) -> Removal:
    """Begin to remove a sweep with its runs, reports, log lines and files; return the removal.

    `services.removals.carry_on` does the work. From now on nothing brings the sweep back; `user`
    None stands for the studio's rule. Asked twice, it is the same removal.

    Raises:
        Refused: it is not in the trash, or a live sweep goes on from it.
        Sweep.DoesNotExist: it has been removed.
    """
    size = stored_bytes([sweep.pk]).get(sweep.pk, 0)
    with transaction.atomic():
        bump(sweep.pk)
        fresh = Sweep.objects.select_related("experiment__workspace").get(pk=sweep.pk)
        if fresh.purging_at is not None:
            return Removal.objects.get(
                sweep=fresh, kind=Removal.Kind.SWEEP, finished_at__isnull=True
            )
        if reason := why_not(fresh):
            raise Refused(reason)
        Sweep.objects.filter(pk=fresh.pk).update(purging_at=clock.now())
        removal = Removal.objects.create(
            kind=Removal.Kind.SWEEP,
            workspace_id=fresh.experiment.workspace_id,
            sweep=fresh,
            sweep_public_id=fresh.public_id,
            name=fresh.name,
            run_count=Run.objects.filter(sweep=fresh).count(),
            expected_bytes=size,
            requested_by=user,
        )
        record(
            Act.SWEEP_DELETED,
            by=user,
            workspace=fresh.experiment.workspace,
            about=fresh.name,
            about_id=fresh.public_id,
            details={"runs": removal.run_count, "bytes": size},
        )
        notify(fresh.pk)
    return removal


def empty_trash(sweeps: Iterable[Sweep], *, user: User) -> tuple[list[Removal], list[str]]:
    """Begin to remove all of these for good; return the removals, and why some have to wait."""
    removals, refused = [], []
    for sweep in sweeps:
        try:
            removals.append(delete_for_good(sweep, user=user))
        except Refused as error:
            refused.append(str(error))
        except Sweep.DoesNotExist:
            continue  # somebody else was faster
    return removals, refused


def begin_overdue(now: datetime) -> int:
    """Begin to remove what has been in the trash for long enough; return how many.

    Zero days is never. A sweep that a live one goes on from waits for its end.
    """
    days = days_in_trash()
    if not days:
        return 0
    before = now - timedelta(days=days)
    overdue = Sweep.objects.filter(trashed_at__lt=before, purging_at__isnull=True)
    count = 0
    for sweep in if_any(overdue.order_by("trashed_at")):
        try:
            delete_for_good(sweep, user=None)
        except (Refused, Sweep.DoesNotExist):
            continue
        count += 1
    return count


def why_not(sweep: Sweep) -> str:
    """Say why a sweep cannot be deleted for good now; "" when it can."""
    if sweep.trashed_at is None:
        return f"The sweep {brief(sweep.name)} is not in the trash; move it there first."
    reader = readers_of(sweep)
    if reader is None:
        return ""
    return (
        f"The sweep {brief(reader.name)} ({reader.public_id}) is live and goes on from "
        f"{brief(sweep.name)}; wait for its end or cancel it first."
    )


def readers_of(sweep: Sweep) -> Sweep | None:
    """Return a live sweep that needs the results or the files of a sweep, if there is one."""
    reads = Q(warm_starts__parent=sweep) | Q(resumptions__source__sweep=sweep)
    return Sweep.objects.filter(reads, state__in=sorted(SWEEP_ACTIVE)).order_by("pk").first()
