"""An ended sweep as plain values: what every reader makes and the import service turns into rows.

Pure. Values are checked by `experiments.imports.document`, not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ObservedSeries:
    """All reports of one metric by one run, in order.

    A value is a number (NaN and infinities too) or a text; `steps` may hold None; None for all of
    `steps` or `times` (Unix seconds): there are none.
    """

    name: str
    values: Sequence[float | str]
    steps: Sequence[float | None] | None = None
    times: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """A run that has ended. Empty `status`, `end_reason` and `reason` mean Completed.

    `arguments` None: those that the specification gives these hyperparameters.
    """

    number: int
    params: Mapping[str, Any]
    status: str = "Completed"
    end_reason: str = ""
    reason: str = ""
    note: str = ""
    origin: str = "sampler"
    arguments: Sequence[str] | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    retry_of: int | None = None
    worker: str = ""
    host: str = ""
    exit_code: int | None = None
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    series: Sequence[ObservedSeries] = ()


@dataclass(frozen=True, slots=True)
class ObservedSweep:
    """A sweep that has ended, with everything about it.

    `kind` and `source` say where it comes from ("csv", "trials.csv"); `spec` is a specification as
    `SweepSpec.parse` reads it; an empty `status` is worked out from the runs.
    """

    kind: str
    source: str
    spec: Mapping[str, Any]
    runs: Sequence[ObservedRun]
    status: str = ""
    end_reason: str = ""
    reason: str = ""
    seed: int | None = None
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    notes: Sequence[str] = ()

    @property
    def reports(self) -> int:
        """The number of all reports of all metrics."""
        return sum(len(series.values) for run in self.runs for series in run.series)
