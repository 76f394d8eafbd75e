"""A worker that drains: the first request to stop waits for the run, the second hands it over."""

from __future__ import annotations

import os
import signal
import time

import pytest

from experiments.models import Run, Worker
from tests.factories import make_compute
from tests.runner.attempts import HEAD, queue
from tests.runner.processes import processes_of, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKER = ("-m", "django", "studio_worker", "--compute", "local", "--drain")
# Goes on until a file says that it may end.
WAITING = HEAD + (
    "import pathlib, sys, time\n"
    "while not pathlib.Path(sys.argv[1]).exists():\n"
    "    run.log('accuracy', 1); time.sleep(0.05)\n"
)


def reports(run: Run) -> int:
    """Return how many reports of a run are stored."""
    return Run.objects.get(pk=run.pk).reports


def test_a_drained_worker_takes_its_run_to_the_end_and_no_other(tmp_path, launch, valkey_url):
    make_compute()
    signpost = tmp_path / "end"
    run = queue(
        tmp_path,
        WAITING,
        arguments=[str(signpost)],
        search_space={"rate": "choice(0.25, 0.5)"},
        max_total_runs=2,
        max_concurrent_runs=1,
    )
    worker = launch(valkey_url, *WORKER)
    wait_until(lambda: reports(run) > 2, 60)

    os.kill(worker.pid, signal.SIGTERM)
    before = reports(run)
    wait_until(lambda: reports(run) > before + 20, 60)
    signpost.touch()

    assert worker.popen.wait(60) == 0
    ended = Run.objects.get(pk=run.pk)
    assert (ended.state, ended.end_reason) == ("Completed", "finished")
    assert Run.objects.get(sweep=run.sweep, number=1).state == "Queued"
    assert not Worker.objects.exists()
    assert processes_of(run) == []


def test_a_second_request_hands_the_run_over(tmp_path, launch, valkey_url):
    make_compute()
    run = queue(tmp_path, WAITING, arguments=[str(tmp_path / "never")])
    worker = launch(valkey_url, *WORKER)
    wait_until(lambda: reports(run) > 2, 60)

    os.kill(worker.pid, signal.SIGTERM)
    before = reports(run)
    wait_until(lambda: reports(run) > before + 5, 60)
    time.sleep(1)  # two requests within a second may be one
    os.kill(worker.pid, signal.SIGTERM)

    assert worker.popen.wait(60) == 0
    lost = Run.objects.get(pk=run.pk)
    assert (lost.state, lost.end_reason) == ("Failed", "worker_lost")
    assert Run.objects.get(retry_of=run).state == "Queued"
    assert processes_of(run) == []
