"""The doctor at the workers: attached, of this version, with an interpreter that starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.doctor_finding import Seen, warned
from studio.version import VERSION

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from experiments.models import Worker


def _alive() -> QuerySet[Worker]:
    from experiments.models import Worker
    from experiments.queries import alive_since

    return Worker.objects.filter(last_seen_at__gte=alive_since()).select_related("compute")


def workers() -> Seen:
    """Every compute target that takes sweeps has a worker."""
    from experiments.models import ComputeTarget

    alive = [worker.compute_id for worker in _alive()]
    targets = ComputeTarget.objects.filter(is_enabled=True)
    counts = {target.name: alive.count(target.pk) for target in targets}
    detail = ", ".join(f"{name}: {n} alive" for name, n in counts.items()) or "no compute target"
    idle = [name for name, n in counts.items() if n == 0]
    if idle or not counts:
        name = idle[0] if idle else "local"
        cure = f"Attach one: `studio worker --compute {name}`, or start `studio up`."
        return Seen(detail, cure, f"Runs for {name} wait.")
    return Seen(detail)


def versions() -> Seen:
    """Every worker has the version that is installed here."""
    others = {(w.host, w.version or "unknown") for w in _alive() if w.version != VERSION}
    if not others:
        return Seen(f"all have {VERSION}")
    shown = ", ".join(f"{host} has {version}" for host, version in sorted(others))
    cure = f"Install {VERSION} on {sorted(others)[0][0]}, and start its workers again."
    return warned(f"{shown}; here is {VERSION}", cure, "Versions are tried together, not mixed.")


def interpreters() -> Seen:
    """The interpreter that scripts get starts on every machine."""
    alive = list(_alive())
    wrong = sorted({(w.compute.name, w.host, w.python_problem) for w in alive if w.python_problem})
    if not wrong:
        found = sorted({w.python_version for w in alive if w.python_version})
        return Seen(", ".join(found) or "none asked yet")
    name, host, problem = wrong[0]
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    cure = f"Install it on {host}, or run `studio compute set {name} --python PATH`."
    return Seen(f"{host}: {problem}{more}", cure, f"Runs of {name} cannot start there.")
