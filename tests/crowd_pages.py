"""What a browser asks for on each page of `tests.crowd`: at first, and again while it is open.

What and when is what a browser was seen to ask for on the same pages, and the pauses are those of
the scripts (static/js); the page of the charts as if somebody had scrolled through it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# A browser waits so many times as long as the last answer took before it asks again ...
SHARE: Final = 15.0
# ... but no longer than these seconds (static/js/lib/pace.js).
MOST: Final = 8.0


@dataclass(frozen=True, slots=True)
class Again:
    """Something that is asked for again: when what has changed, after how many seconds at least.

    Without an address it is the page itself, of which only the parts that change come.
    """

    name: str
    pauses: Mapping[str, float]
    address: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A page: how often of a hundred times people go there, and what belongs to it."""

    often: int
    address: str
    first: tuple[str, ...] = ()
    again: tuple[Again, ...] = ()
    has_curves: bool = False


def chart(name: str) -> str:
    """Return the address of the figure of a chart."""
    return f"/sweeps/{{sweep}}/charts/{name}.json"


def _figure(name: str, pause: float, *changes: str) -> Again:
    return Again(f"chart {name}", dict.fromkeys(changes, pause), chart(name))


_ENDED: Final = frozenset({"Completed", "Failed", "Canceled"})
# How the parts of the pages of a sweep are kept current.
_HEAD: Final = {"sweep": 2.0, "moved": 2.0, "log": 2.0, "best": 3.0}
_METRICS: Final = _figure("metrics", 5.0, "moved", "best")
PLACES: Final = {
    "dashboard": Place(
        22, "/dashboard/", again=(Again("parts of dashboard", {"hint": 3.0, "always": 20.0}),)
    ),
    "sweeps": Place(16, "/sweeps/", again=(Again("parts of sweeps", {"hint": 3.0}),)),
    "overview": Place(
        26,
        "/sweeps/{sweep}/",
        first=("best_so_far", "metrics", "importance"),
        has_curves=True,
        again=(
            Again("parts of overview", _HEAD),
            _figure("best_so_far", 3.0, "scored", "moved", "best"),
            _figure("importance", 3.0, "ended"),
            _METRICS,
        ),
    ),
    "charts": Place(
        12,
        "/sweeps/{sweep}/charts/",
        first=("parallel_coordinates", "metrics", "scatter_2d", "scatter_3d"),
        has_curves=True,
        again=(
            Again("parts of charts", _HEAD),
            _figure("parallel_coordinates", 3.0, "scored", "moved", "best"),
            _figure("scatter_2d", 3.0, "scored", "moved", "best"),
            _figure("scatter_3d", 3.0, "scored", "moved", "best"),
            _METRICS,
        ),
    ),
    "runs": Place(
        14,
        "/sweeps/{sweep}/runs/",
        again=(Again("parts of runs", {**_HEAD, "runs": 3.0, "metrics": 3.0}),),
    ),
    "run": Place(
        6,
        "/runs/{sweep}_0/",
        has_curves=True,
        again=(
            Again("parts of run", {"moved 0": 2.0, "best": 3.0}),
            Again("log of run", {"always": 1.0}, "/runs/{sweep}_0/log/?offset=0"),
        ),
    ),
    "log": Place(4, "/sweeps/{sweep}/logs/", again=(Again("parts of log", _HEAD),)),
}


class Asked:
    """When something is to be asked for again, by what has changed since it was asked for last."""

    def __init__(self, rule: Again) -> None:
        self.rule = rule
        self._last = time.monotonic()
        self._cost = 0.0
        self._pause = rule.pauses.get("always")

    def tell(self, changes: set[str]) -> None:
        """Take note of what has changed."""
        for change in changes & self.rule.pauses.keys():
            pause = self.rule.pauses[change]
            self._pause = pause if self._pause is None else min(self._pause, pause)

    def wait(self) -> float | None:
        """Return in how many seconds it is to be asked for; None while nothing has changed."""
        if self._pause is None:
            return None
        return self._last + max(self._pause, min(SHARE * self._cost, MOST)) - time.monotonic()

    def begin(self) -> None:
        """Forget what has changed: it is asked for now."""
        self._pause = self.rule.pauses.get("always")
        self._last = time.monotonic()

    def end(self) -> None:
        """Note that the answer is there."""
        now = time.monotonic()
        self._last, self._cost = now, now - self._last


@dataclass(slots=True)
class Known:
    """What a page knows of its sweep; static/js/lib/store.js tells changes in the same way."""

    _runs: dict[int, tuple[Any, Any]] = field(default_factory=dict)

    def changes(self, frame: Mapping[str, Any]) -> set[str]:
        """Return what a frame of a socket has changed, in the words of `Again.pauses`."""
        if "changed" in frame:
            return {"hint"}
        found: set[str] = set()
        for event in frame["events"]:
            if event["type"] != "run":
                found.add(event["type"])
                continue
            run = event["run"]
            number, is_now = run["number"], (run["status"], (run["best"] or {}).get("value"))
            before = self._runs.get(number, (None, None))
            self._runs[number] = is_now
            found.add("runs")
            if before[0] != is_now[0]:
                found |= {"moved", f"moved {number}", *(["ended"] if is_now[0] in _ENDED else [])}
            if before[1] != is_now[1]:
                found.add("scored")
        return found
