"""The new-sweep form for a second sweep: the same, around one configuration of the first."""

from __future__ import annotations

from typing import Final

from experiments.forms.sweep_fields import SweepFields, fields_from_raw
from experiments.models import Run
from experiments.space.narrowing import narrow_space
from experiments.spec import SweepSpec

_MOST: Final = 255


def fields_around(run: Run) -> SweepFields:
    """Return the form filled from the run's sweep, its search space narrowed around the run."""
    sweep = run.sweep
    tail = f" around run {run.number}"
    raw = {
        **sweep.spec,
        "name": sweep.name[: _MOST - len(tail)] + tail,
        "search_space": narrow_space(SweepSpec.from_stored(sweep.spec).space, run.params),
        "resume_from": [],
        "resume_child_runs": [],
        "snapshot": sweep.snapshot.digest,
        "source_directory": None,
    }
    return fields_from_raw(raw)
