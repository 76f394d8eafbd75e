"""One logged value on its way from the journal of its run to the database. Pure."""

from __future__ import annotations

from dataclasses import dataclass


# Not frozen: there are a hundred thousand in a second, and three times as long goes into one that
# is.
@dataclass(slots=True)
class Report:
    """One logged value. `seq` grows with every report of a run: the end of its journal line."""

    seq: int
    name: str
    value: float | str
    step: float | None
    time: float
