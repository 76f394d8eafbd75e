"""The studio's side of what is stored: a writer as an executor is one, told what to do by lines.

Started by `tests.bench_store` and `tests.bench_log` with the settings of a running studio. Obeys
`prepare N` (writes so many reports to the journal, as a script would), `store N` and `drain N`
(seconds from there to the database), `end 0` (ends the run, which packs its chunks) and `size 0`
(bytes of the database that are in use).
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.db import connection, transaction
from django.utils import timezone

from experiments import queries
from experiments.models import Run
from experiments.services.runs import RunOutcome, finish_run
from experiments.services.setup import first_administrator
from runner.reports import ReportFeed
from studio.sdk.run import format_report
from tests.bench_peers.obey import obey
from tests.factories import make_running_run, make_sweep

WRITERS = 4


class Writer:
    """One run of the sweep that all writers share, with its journal."""

    def __init__(self, journal: Path | None, *, number: int, has_steps: bool) -> None:
        self.path = journal or Path(tempfile.mkdtemp()) / "metrics.jsonl"
        self.has_steps = has_steps
        self.count = 0
        if number == 0:
            make_runs()
        self.run = Run.objects.get(sweep__name="bench", number=number)
        self.path.touch()
        self.feed = ReportFeed(
            self.run.pk, self.run.fence, self.path, offset=self.path.stat().st_size
        )

    def prepare(self, count: int) -> None:
        """Write so many reports to the journal, no two as far apart as the others."""
        now = time.time()
        with self.path.open("a") as file:
            for number in range(self.count, self.count + count):
                step = number if self.has_steps else None
                at = now + number + random.random() / 2
                file.write(format_report("accuracy", number / 7, step=step, time=at))
        self.count += count

    def drain(self, count: int) -> float:
        """Bring what is in the journal into the database."""
        del count
        begun = time.perf_counter()
        self.feed.drain()
        return time.perf_counter() - begun

    def end(self, count: int) -> int:
        """End the run, which packs its chunks; return how many reports it had."""
        del count
        finish_run(self.run.pk, self.run.fence, RunOutcome(exit_code=0))
        return int(Run.objects.values_list("reports", flat=True).get(pk=self.run.pk))


def make_runs() -> None:
    """Make the sweep with one running run for each writer."""
    owner = first_administrator()
    assert owner is not None
    workspace = queries.current_workspace(owner)
    assert workspace is not None
    with transaction.atomic():  # the controller finds it complete
        sweep = make_sweep(
            owner=owner,
            workspace=workspace,
            name="bench",
            max_total_runs=WRITERS,
            max_concurrent_runs=WRITERS,
        )
        for _ in range(WRITERS):
            make_running_run(sweep)
        later = timezone.now() + timedelta(hours=2)
        Run.objects.filter(sweep=sweep).update(lease_expires_at=later)


def size(count: int) -> int:
    """Return the bytes that the tables and indexes of the database take."""
    del count
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM FULL")
            cursor.execute(
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
                "WHERE relname IN ('experiments_metricchunk', 'experiments_metricseries')"
            )
            return int(cursor.fetchone()[0])
        values = []
        for name in ("page_count", "freelist_count", "page_size"):
            cursor.execute(f"PRAGMA {name}")
            values.append(int(cursor.fetchone()[0]))
        pages, free, each = values
        return (pages - free) * each


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--steps", action="store_true")
    given = parser.parse_args()
    writer = Writer(given.journal, number=given.number, has_steps=given.steps)
    acts = {"prepare": writer.prepare, "store": writer.drain, "drain": writer.drain}
    obey("studio", {**acts, "end": writer.end, "size": size})
