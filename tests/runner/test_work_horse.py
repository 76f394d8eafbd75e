"""One work-horse executes short runs one after the other: nothing of RQ's or of theirs is left."""

from __future__ import annotations

import pytest
import redis

from experiments.models import Run
from experiments.services.dispatch import (
    enqueue_run,
    forget_request,
    get_queue,
    is_asked,
    own_request,
)
from tests.factories import make_compute
from tests.runner.attempts import HEAD, queue
from tests.runner.processes import processes_of, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKER = ("-m", "django", "studio_worker", "--compute", "local")
# Leaves a helper behind and a file, and reports how many files it found.
TRACES = HEAD + (
    "import os, time\n"
    "if os.fork() == 0:\n    os.setsid(); time.sleep(300); os._exit(0)\n"
    "run.log('accuracy', len(os.listdir('.')))\nopen('litter', 'w').close()\n"
)


def test_short_runs_share_a_work_horse_and_see_nothing_of_each_other(tmp_path, launch, valkey_url):
    make_compute()
    space = {"rate": "choice(1, 2, 3)"}
    first = queue(tmp_path, TRACES, search_space=space, max_total_runs=3, max_concurrent_runs=1)
    runs = Run.objects.filter(sweep=first.sweep)
    # All that is asked for is what an older version left behind: a job that names a run.
    waiting = get_queue(first.sweep.compute.queue_name)
    waiting.empty()
    waiting.enqueue("runner.jobs.execute_run", first.pk, job_timeout=-1, result_ttl=0)

    worker = launch(valkey_url, *WORKER)
    wait_until(lambda: runs.filter(state="Completed").count() == 3, 60)

    assert len(set(runs.values_list("executor_pid", flat=True))) == 1
    assert len(set(runs.values_list("fence", "best_value", "log_bytes"))) == 1
    assert [processes_of(run) for run in runs] == [[], [], []]
    left = redis.Redis.from_url(valkey_url)
    wait_until(lambda: not left.keys(f"rq:job:slot-{first.sweep.compute_id}-*"))
    assert worker.stop() == 0
    assert "Traceback" not in worker.log.read_text()
    assert waiting.failed_job_registry.count == 0


def test_a_slot_that_looks_by_itself_takes_one_request_from_the_queue(tmp_path, valkey_url):
    run = queue(tmp_path, HEAD)
    name = run.sweep.compute.queue_name
    get_queue(name).empty()
    enqueue_run(Run.objects.select_related("sweep__compute").get(pk=run.pk))

    assert is_asked(name)
    forget_request(name)
    forget_request(name)
    assert not is_asked(name)
    assert not redis.Redis.from_url(valkey_url).keys(f"rq:job:slot-{run.sweep.compute_id}-*")


def test_a_slot_keeps_back_the_request_that_it_answers_itself(tmp_path):
    run = queue(tmp_path, HEAD)
    run = Run.objects.select_related("sweep__compute").get(pk=run.pk)
    waiting = get_queue(run.sweep.compute.queue_name)
    waiting.empty()

    with own_request(run.sweep.compute_id):
        enqueue_run(run)
        assert waiting.count == 0
        enqueue_run(run)  # another slot is wanted as well
        assert waiting.count == 1
        forget_request(waiting.name)
    assert waiting.count == 1

    waiting.empty()
    with own_request(run.sweep.compute_id):
        enqueue_run(run)  # it takes no other run: somebody else is to
    assert waiting.count == 1
