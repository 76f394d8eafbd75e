"""How much sweeps and runs take in the storage, as far as rows know: estimates before a removal."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, Sum

from experiments.models import Artifact

_LOGS = Q(path__startswith="logs/")


def stored_bytes(sweeps: Collection[int]) -> dict[int, int]:
    """Return the size of all kept files of sweeps, by key; those without files are left out."""
    rows = Artifact.objects.filter(run__sweep__in=sweeps).order_by().values_list("run__sweep")
    return dict(rows.annotate(size=Sum("size_bytes")))


def output_bytes(sweep: int) -> dict[int, int]:
    """Return the size of what each run of a sweep left behind, without logs, by key of the run."""
    found = Artifact.objects.filter(~_LOGS, run__sweep=sweep).order_by().values_list("run")
    return dict(found.annotate(size=Sum("size_bytes")))
