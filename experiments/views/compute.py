"""The compute page: targets, the machines attached to them, and what their slots are doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments import queries
from experiments.compute_settings import has_label, label_text
from experiments.models.compute import UNATTENDED
from experiments.views.parts import once
from studio.version import VERSION


@dataclass(frozen=True, slots=True)
class Slot:
    """One worker process: its run, when the person may see it."""

    name: str
    pid: int
    state: str
    run: str
    run_number: str
    sweep_name: str
    run_started: str | None
    seen: str
    gpu: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The workers of one host on one target; `state` is working, idle, draining or lost.

    `python` is what scripts there run with; `python_problem` says why it is of no use.
    """

    host: str
    state: str
    slots: list[Slot]
    seen: str
    started: str
    versions: list[str]
    is_same_version: bool
    python: str
    python_version: str
    python_problem: str
    is_python_own: bool
    is_asked: bool


@dataclass(frozen=True, slots=True)
class Target:
    """A compute target with its machines; `drain` says how far draining is, "" when it is not."""

    name: str
    kind: str
    is_enabled: bool
    drain: str
    labels: list[str]
    python: str
    variables: list[tuple[str, str]]
    secrets: list[str]
    slots: int
    busy: int
    queued: int
    machines: list[Machine]


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """A label to filter by: its address turns it on or off."""

    text: str
    count: int
    is_on: bool
    query: str


# The states of a machine and how they are shown: word, CSS class, icon.
MACHINE_BADGES: Final = {
    "working": ("Working", "running static", "bolt"),
    "idle": ("Idle", "completed", "completed"),
    "draining": ("Draining", "paused", "paused"),
    "drained": ("Drained", "paused", "paused"),
    "lost": ("Lost", "failed", "failed"),
}


@require_safe
def compute(request: HttpRequest) -> HttpResponse:
    """Show the compute targets; with the header X-Fragment only the part that changes."""
    wanted = [label for label in request.GET.getlist("label") if label]
    everything = once(
        lambda: [t for t in queries.compute_json(request.user) if t["kind"] not in UNATTENDED]
    )
    targets = once(lambda: _targets(everything(), wanted))
    context = {
        "targets": targets,
        "filters": once(lambda: _filters(everything(), wanted)),
        "is_filtered": bool(wanted),
        "badges": MACHINE_BADGES,
        "totals": once(lambda: _totals(targets())),
        "version": VERSION,
        "attach_name": once(lambda: _attach_name(targets())),
        "administrators": once(_administrators),
        "is_administrator": queries.is_administrator(request.user),
        "managed": queries.managed_compute(request.user),
    }
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_compute_parts.html" if is_fragment else "experiments/compute.html"
    return render(request, name, context)


def _targets(rows: Iterable[Mapping[str, Any]], wanted: Sequence[str]) -> list[Target]:
    """Return the targets that have all of the labels."""
    return [_target(row) for row in rows if all(has_label(row["labels"], w) for w in wanted)]


def _attach_name(targets: Sequence[Target]) -> str:
    names = [target.name for target in targets if target.is_enabled]
    return "local" if "local" in names or not names else names[0]


def _administrators() -> list[str]:
    users = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")[:3]
    return [user.get_full_name() or user.username for user in users]


def _totals(targets: Sequence[Target]) -> dict[str, int]:
    machines = [machine for target in targets for machine in target.machines]
    return {
        "machines": sum(machine.state != "lost" for machine in machines),
        "lost": sum(machine.state == "lost" for machine in machines),
        "other_versions": sum(not machine.is_same_version for machine in machines),
        "slots": sum(target.slots for target in targets),
        "busy": sum(target.busy for target in targets),
        "queued": sum(target.queued for target in targets),
    }


def _filters(rows: Iterable[Mapping[str, Any]], wanted: Sequence[str]) -> list[LabelFilter]:
    counts: dict[str, int] = dict.fromkeys(wanted, 0)
    for row in rows:
        for key, value in row["labels"].items():
            text = label_text(key, value)
            counts[text] = counts.get(text, 0) + 1
    return [
        LabelFilter(text, count, text in wanted, _query(text, wanted))
        for text, count in sorted(counts.items())
    ]


def _query(text: str, wanted: Sequence[str]) -> str:
    left = [label for label in wanted if label != text]
    query = QueryDict(mutable=True)
    query.setlist("label", left if text in wanted else [*left, text])
    return f"?{query.urlencode()}"


def _target(row: Mapping[str, Any]) -> Target:
    hosts: dict[str, list[Mapping[str, Any]]] = {}
    for worker in row["workers"]:
        hosts.setdefault(worker["host"], []).append(worker)
    return Target(
        name=row["name"],
        kind=row["kind"],
        is_enabled=row["enabled"],
        drain=_drain_text(row) if row["draining"] else "",
        labels=[label_text(key, value) for key, value in row["labels"].items()],
        python=row["python"],
        variables=sorted(row["environment"].items()),
        secrets=row["secrets"],
        slots=row["slots"],
        busy=row["busy"],
        queued=row["queued"],
        machines=[
            _machine(host, workers, is_draining=row["draining"]) for host, workers in hosts.items()
        ],
    )


def _drain_text(row: Mapping[str, Any]) -> str:
    if not row["busy"]:
        return "drained: nothing runs, waiting runs wait"
    runs = "1 run goes" if row["busy"] == 1 else f"{row['busy']} runs go"
    return f"draining: {runs} on to the end, waiting runs wait"


def _machine(host: str, rows: Iterable[Mapping[str, Any]], *, is_draining: bool) -> Machine:
    workers = list(rows)
    slots = [_slot(worker) for worker in workers]
    # What is wrong with one of them is what should be seen.
    shown = next((w for w in workers if w["python_problem"]), workers[0])
    return Machine(
        host=host,
        state=_state({slot.state for slot in slots}, is_draining=is_draining),
        slots=slots,
        seen=max(worker["seen"] for worker in workers),
        started=min(worker["started"] for worker in workers),
        versions=sorted({worker["version"] or "unknown" for worker in workers}),
        is_same_version=all(worker["is_same_version"] for worker in workers),
        python=shown["python"],
        python_version=shown["python_version"],
        python_problem=shown["python_problem"],
        is_python_own=shown["is_python_own"],
        is_asked=any(worker["is_asked"] and worker["alive"] for worker in workers),
    )


def _state(states: set[str], *, is_draining: bool) -> str:
    if states == {"lost"}:
        return "lost"
    if is_draining:
        return "draining" if "busy" in states else "drained"
    return "working" if "busy" in states else "idle"


def _slot(worker: Mapping[str, Any]) -> Slot:
    run = worker["run"] or ""
    state = "lost" if not worker["alive"] else "busy" if worker["busy"] else "free"
    return Slot(
        name=worker["name"],
        pid=worker["pid"],
        state=state,
        run=run,
        run_number=run.rpartition("_")[2],
        sweep_name=worker["sweep_name"] or "",
        run_started=worker["run_started"],
        seen=worker["seen"],
        gpu=worker["gpu"],
    )
