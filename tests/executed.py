"""Runs of a sweep worked on in the test itself, as an executor would; and which runs there are."""

from __future__ import annotations

from experiments.models import Run, Sweep
from experiments.services.runs import RunOutcome, finish_run, start_run
from experiments.states import RunState
from tests.factories import claim, report

CHOICES = {"lr": "choice(0.1, 0.2, 0.3)", "layers": "choice(1, 2)"}


def numbers(sweep: Sweep, *states: str) -> list[int]:
    """Return the numbers of a sweep's runs in these states, or of all of them."""
    rows = sweep.runs.filter(state__in=states) if states else sweep.runs.all()
    return list(rows.order_by("number").values_list("number", flat=True))


def work(run: Run, values=(0.5,), name="accuracy", **outcome) -> Run:
    """Do what an executor does with a queued run."""
    claimed = claim(run)
    start_run(run.pk, claimed.fence, arguments=["x"], directory="")
    if values:
        report(run, list(values), name=name)
    return finish_run(run.pk, claimed.fence, RunOutcome(**{"exit_code": 0, **outcome}))


def work_all(sweep: Sweep, **kwargs) -> Sweep:
    """Work on whatever is queued until nothing is."""
    while run := sweep.runs.filter(state=RunState.QUEUED).order_by("number").first():
        work(run, **kwargs)
    sweep.refresh_from_db()
    return sweep
