"""After the campaign: what must hold whatever was killed. Each check returns its evidence."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

import numpy as np

from experiments.models import MetricChunk, Run, Sweep
from experiments.packed_columns import unpacked
from experiments.states import RUN_ACTIVE, SWEEP_TERMINAL, EndReason, RunState
from studio.sdk.run import parse_report

Points = list[tuple[float, float | None, float]]
# Ends that say that the script itself is to blame.
_BLAME: Final = {EndReason.NONZERO_EXIT, EndReason.BAD_COMMAND}


class Journals:
    """Every journal that was ever written, by run."""

    def __init__(self, kept: Path) -> None:
        self.paths: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(kept.glob("*/*@*")):
            number = path.name.partition("@")[0].partition("-")[0]
            self.paths[f"{path.parent.name}_{number}"].append(path)
        self.reports = 0

    def problems(self) -> list[str]:
        """Compare them line by line with the database: all there, in order, nothing twice."""
        found = []
        for run in Run.objects.select_related("sweep").order_by("pk").iterator():
            written = [path for path in self.paths.pop(run.public_id, ()) if path.stat().st_size]
            if len(written) > 1:
                found.append(f"{run.public_id}: {len(written)} attempts wrote a journal")
                continue
            found += self._compare(run, written[0] if written else None)
        found += [f"{run}: a journal of no run" for run in self.paths]
        return found

    def _compare(self, run: Run, path: Path | None) -> list[str]:
        journal = read_journal(path) if path is not None else {}
        stored = stored_reports(run)
        found = []
        for name in sorted(journal.keys() | stored.keys()):
            there, here = journal.get(name, []), stored.get(name, [])
            self.reports += len(there)
            if there != here:
                found.append(
                    f"{run.public_id} ({run.state} {run.end_reason}, on {run.host}): {name} has "
                    f"{len(there)} reports in its journal and {len(here)} in the database"
                )
            steps = [step for _, step, _ in there]
            if steps != list(range(1, len(steps) + 1)):
                found.append(f"{run.public_id}: the numbers of {name} in its journal have gaps")
        primary = len(stored.get(run.sweep.metric_name, []))
        if run.reports != primary:
            found.append(f"{run.public_id}: counts {run.reports} reports and has {primary}")
        return found


def read_journal(path: Path) -> dict[str, Points]:
    """Return the whole lines of a journal as (value, step, time) by metric, in order."""
    points: dict[str, Points] = defaultdict(list)
    data = path.read_bytes()
    for line in data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]:
        report = parse_report(line)
        if report is not None:
            name, value, step, time = report
            points[name].append((float(value), step, time))
    return dict(points)


def stored_reports(run: Run) -> dict[str, Points]:
    """Return what the database has, in the same form; a hole between chunks is an error."""
    points: dict[str, Points] = defaultdict(list)
    rows = MetricChunk.objects.filter(series__run=run).select_related("series")
    for chunk in rows.order_by("series__name", "first"):
        name = chunk.series.name
        assert chunk.first == len(points[name]), f"{run.public_id}: hole in {name}"
        values = np.frombuffer(bytes(chunk.values)).tolist()
        count = len(values)
        steps = unpacked(chunk.steps, count).tolist() if chunk.steps else [None] * count
        times = unpacked(chunk.times, count).tolist()
        points[name] += list(zip(values, steps, times, strict=True))
    return dict(points)


def completed_twice() -> list[str]:
    """Find configurations that were completed by more than one attempt of a chain of retries."""
    roots: dict[int, int] = {}
    completed: dict[int, list[str]] = defaultdict(list)
    for run in Run.objects.order_by("pk").iterator():
        roots[run.pk] = roots.get(run.retry_of_id or 0, run.pk)
        if run.state == RunState.COMPLETED:
            completed[roots[run.pk]].append(run.public_id)
    return [f"completed twice: {', '.join(runs)}" for runs in completed.values() if len(runs) > 1]


def repeated_twice() -> list[str]:
    """Find runs that two runs repeat."""
    seen: dict[int, list[str]] = defaultdict(list)
    for run in Run.objects.filter(retry_of__isnull=False).order_by("pk"):
        seen[run.retry_of_id or 0].append(run.public_id)
    return [f"repeated twice: {', '.join(runs)}" for runs in seen.values() if len(runs) > 1]


def overlaps(locks: Path) -> list[str]:
    """Find configurations that two attempts worked on at the same time on one machine.

    On two machines that is possible: one that was cut off goes on until it hears otherwise.
    """
    path = locks / "overlaps.txt"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    found = []
    for line in lines:
        pair = line.split()
        hosts = set(Run.objects.filter(public_id__in=pair).values_list("host", flat=True))
        if len(hosts) == 1:
            found.append(f"at the same time on {hosts.pop()}: {' and '.join(pair)}")
    return found


def not_ended() -> list[str]:
    """Find sweeps that did not come to an end, and runs that an ended sweep has left."""
    sweeps = Sweep.objects.exclude(state__in=sorted(SWEEP_TERMINAL))
    runs = Run.objects.filter(state__in=sorted(RUN_ACTIVE))
    found = [f"sweep {s.public_id} is {s.state} {s.reason}" for s in sweeps]
    return found + [f"run {run.public_id} is {run.state} on {run.worker_name}" for run in runs]


def blamed_wrongly() -> list[str]:
    """Find runs that are said to have failed by themselves and were not killed themselves."""
    rows = Run.objects.filter(end_reason__in=sorted(_BLAME))
    return [
        f"{run.public_id} {run.end_reason}: {run.reason}"
        for run in rows
        if "signal 9" not in run.reason
    ]


def failed_sweeps() -> list[str]:
    """Find sweeps that failed although nothing was wrong with their runs."""
    rows = Sweep.objects.filter(end_reason=EndReason.SAMPLER_ERROR)
    return [f"{sweep.public_id}: {sweep.reason}" for sweep in rows]
