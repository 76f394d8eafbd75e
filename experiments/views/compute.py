"""The compute page: targets, the machines attached to them, and what their slots are doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments import queries


@dataclass(frozen=True, slots=True)
class Slot:
    """One worker process: its run, when the person may see it."""

    name: str
    state: str
    run: str
    run_number: str
    gpu: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The workers of one host on one target; `state` is working, idle or lost."""

    host: str
    state: str
    slots: list[Slot]
    seen: str
    started: str


@dataclass(frozen=True, slots=True)
class Target:
    """A compute target with its machines; `share` is the busy part of its slots in percent."""

    name: str
    kind: str
    is_enabled: bool
    is_draining: bool
    python: str
    slots: int
    busy: int
    queued: int
    machines: list[Machine]


# The three states of a machine and how they are shown: word, CSS class, icon.
MACHINE_BADGES: Final = {
    "working": ("Working", "running static", "bolt"),
    "idle": ("Idle", "completed", "completed"),
    "lost": ("Lost", "failed", "failed"),
}


@require_safe
def compute(request: HttpRequest) -> HttpResponse:
    """Show the compute targets; with the header X-Fragment only the part that changes."""
    targets = [_target(row) for row in queries.compute_json(request.user)]
    machines = [machine for target in targets for machine in target.machines]
    context = {
        "targets": targets,
        "badges": MACHINE_BADGES,
        "totals": {
            "machines": sum(machine.state != "lost" for machine in machines),
            "lost": sum(machine.state == "lost" for machine in machines),
            "slots": sum(target.slots for target in targets),
            "busy": sum(target.busy for target in targets),
            "queued": sum(target.queued for target in targets),
        },
    }
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_compute_parts.html" if is_fragment else "experiments/compute.html"
    return render(request, name, context)


def _target(row: Mapping[str, Any]) -> Target:
    hosts: dict[str, list[Mapping[str, Any]]] = {}
    for worker in row["workers"]:
        hosts.setdefault(worker["host"], []).append(worker)
    return Target(
        name=row["name"],
        kind=row["kind"],
        is_enabled=row["enabled"],
        is_draining=row["draining"],
        python=row["python"],
        slots=row["slots"],
        busy=row["busy"],
        queued=row["queued"],
        machines=[_machine(host, workers) for host, workers in hosts.items()],
    )


def _machine(host: str, workers: Iterable[Mapping[str, Any]]) -> Machine:
    workers = list(workers)
    slots = [_slot(worker) for worker in workers]
    states = {slot.state for slot in slots}
    return Machine(
        host=host,
        state="lost" if states == {"lost"} else "working" if "busy" in states else "idle",
        slots=slots,
        seen=max(worker["seen"] for worker in workers),
        started=min(worker["started"] for worker in workers),
    )


def _slot(worker: Mapping[str, Any]) -> Slot:
    run = worker["run"] or ""
    state = "lost" if not worker["alive"] else "busy" if worker["busy"] else "free"
    return Slot(
        name=worker["name"],
        state=state,
        run=run,
        run_number=run.rpartition("_")[2],
        gpu=worker["gpu"],
    )
