"""Which value of a run counts on the pages of a sweep: read from the address, shown as a switch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict

from experiments.models import Run, Sweep
from experiments.problems import ProblemsError
from experiments.queries.readings import values_read
from experiments.readings import BEST, LAST, Reading, ReadValues, read_reading

# What a switch leaves behind: places in a list that is another one now.
_NOT_KEPT = ("reading", "step", "offset")


@dataclass(frozen=True, slots=True)
class ReadingPanel:
    """The switch of a page: its reading, links to the others, what it leaves out.

    `read` has the values of all runs where the reading is not the best; `run` is the best of them.
    """

    reading: Reading
    error: str = ""
    links: list[tuple[str, str, bool]] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    read: ReadValues | None = None
    run: Run | None = None

    @property
    def lacking(self) -> int:
        """Return how many runs have a value, only not under this reading."""
        return len(self.read.lacking) if self.read else 0

    @property
    def value(self) -> float | None:
        """Return the best value under this reading."""
        if self.read is None or self.read.best is None:
            return None
        return self.read.get(self.read.best)

    @property
    def query(self) -> str:
        """Return what other pages of the sweep need in their address to show the same."""
        return "" if self.reading.is_best else f"?reading={self.reading.key}"


def reading_of(query: QueryDict) -> tuple[Reading, str]:
    """Return the reading of an address, and what is wrong with it; a wrong one is the best."""
    try:
        return read_reading(query.get("reading", ""), query.get("step", "")), ""
    except ProblemsError as error:
        return BEST, error.problems[0].message


def reading_panel(request: HttpRequest, sweep: Sweep) -> ReadingPanel:
    """Return the switch; no query for the best reading, three at most for others."""
    reading, error = reading_of(request.GET)
    others = request.GET.copy()
    for name in _NOT_KEPT:
        others.pop(name, None)
    links = [(each.label, _address(others, each), reading.key == each.key) for each in (BEST, LAST)]
    read = None if reading.is_best else values_read(sweep, reading)
    run = None
    if read is not None and read.best is not None:
        run = Run.objects.get(sweep=sweep, number=read.best)
    return ReadingPanel(
        reading=reading,
        error=error,
        links=links,
        hidden=[(name, value) for name in others for value in others.getlist(name)],
        read=read,
        run=run,
    )


def reading_json(reading: Reading) -> dict[str, Any]:
    """Return a reading as the scripts of a page and answers in JSON have it."""
    return {"key": reading.key, "label": reading.label}


def _address(others: QueryDict, reading: Reading) -> str:
    query = others.copy()
    if not reading.is_best:
        query["reading"] = reading.key
    return f"?{query.urlencode(safe=':,')}"
