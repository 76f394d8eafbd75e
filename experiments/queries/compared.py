"""Which sweeps are compared: those of an address, whether they fit, what could be added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from experiments.charts.comparison import MOST_SWEEPS
from experiments.models import Sweep
from experiments.queries.visible import AnyUser, sweeps_for
from experiments.states import SWEEP_ACTIVE
from experiments.storable import is_storable

_DIGEST_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Placed:
    """A sweep that is compared, with its place from 0 to 7."""

    place: int
    sweep: Sweep


@dataclass(frozen=True, slots=True)
class Asked:
    """The sweeps that an address asks for; a gap keeps the places of the others.

    `slots` are ids by place, "" for a gap; `missing` are ids of which there is no sweep to see.
    """

    slots: tuple[str, ...]
    placed: tuple[Placed, ...]
    missing: tuple[str, ...]
    too_many: int = 0

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Return every pair of primary metric and goal, in order of the places."""
        return list(dict.fromkeys((p.sweep.metric_name, p.sweep.goal) for p in self.placed))

    @property
    def is_active(self) -> bool:
        """Whether any of the sweeps may still change by itself."""
        return any(p.sweep.state in SWEEP_ACTIVE for p in self.placed)


def asked_sweeps(user: AnyUser, text: str) -> Asked:
    """Read "ID,ID,..." of an address: ids of sweeps, each once, gaps for places; one query."""
    slots: list[str] = []
    for part in text.split(","):
        name = part.strip()
        if not name or name not in slots:
            slots.append(name)
    while slots and not slots[-1]:
        slots.pop()
    wanted = [name for name in slots if name]
    if len(wanted) > MOST_SWEEPS:
        return Asked((), (), (), too_many=len(wanted))
    if len(slots) > MOST_SWEEPS:
        slots = wanted  # more gaps than places
    known = [name for name in wanted if is_storable(name)]
    found = {s.public_id: s for s in sweeps_for(user).filter(public_id__in=known)} if known else {}
    return Asked(
        slots=tuple(name if name in found else "" for name in slots),
        placed=tuple(Placed(at, found[n]) for at, n in enumerate(slots) if n in found),
        missing=tuple(name for name in wanted if name not in found),
    )


def comparable_sweeps(user: AnyUser, asked: Asked, *, limit: int = 20) -> list[Sweep]:
    """Return the newest other sweeps of the same metric and goal; one query."""
    rows = sweeps_for(user).exclude(public_id__in=[s for s in asked.slots if s])
    if asked.placed:
        metric, goal = asked.kinds[0]
        rows = rows.filter(metric_name=metric, goal=goal)
    return list(rows.order_by("-pk")[:limit])


def refusal_of(asked: Asked) -> str:
    """Say why these sweeps cannot be compared; "" when they can, or when there are too few."""
    if asked.too_many:
        return (
            f"{asked.too_many} sweeps are too many to tell apart: compare 2 to {MOST_SWEEPS}. "
            "Leave some of them out."
        )
    if len(asked.kinds) > 1:
        firsts = {(p.sweep.metric_name, p.sweep.goal): p.sweep for p in reversed(asked.placed)}
        parts = " and ".join(f"“{firsts[kind].name}” {kind[1]}s {kind[0]}" for kind in asked.kinds)
        return f"{parts}: only sweeps of one primary metric and goal can be compared."
    return ""


def whole_spec(sweep: Sweep) -> dict[str, Any]:
    """Return a specification with what it became: its seed and the code that was kept."""
    sampling = sweep.spec.get("sampling")
    inner = dict(sampling) if isinstance(sampling, Mapping) else {"type": sampling}
    return {
        **sweep.spec,
        "sampling": {**inner, "seed": sweep.seed},
        "snapshot": sweep.snapshot.digest[:_DIGEST_SHOWN],
    }
