"""Real workers and a real watchdog process: runs end whatever dies, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from django.conf import settings as django_settings
from django.db import OperationalError, connection

from experiments.models import Run, Sweep, Worker
from experiments.services.dispatch import enqueue_advance, get_queue
from runner.worker import SlotWorker
from tests.factories import make_compute, make_sweep
from tests.runner.attempts import HEAD, queue, wait_for
from tests.runner.processes import Service, processes_of, wait_until
from tests.servers import Valkey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKER = ("-m", "django", "studio_worker", "--compute", "local")
WATCHDOG = ("-m", "django", "studio_watchdog")
# Reports for ever, and has a helper that left for a session of its own.
ENDLESS = HEAD + (
    "import os, time\n"
    "if os.fork() == 0:\n    os.setsid(); time.sleep(300); os._exit(0)\n"
    "open('outputs/model', 'w').write('w')\n"
    "while True:\n    run.log('accuracy', 1); time.sleep(0.05)\n"
)


@pytest.fixture
def server(settings, tmp_path) -> Iterator[Valkey]:
    """A Redis-protocol server of this test's own, which it may kill."""
    own = Valkey(Path(tempfile.mkdtemp(prefix="studio-test-")))
    own.start()
    settings.RQ_QUEUES = {"default": {**django_settings.RQ_QUEUES["default"], "URL": own.url}}
    yield own
    own.stop()


@pytest.fixture
def start(launch, server) -> Callable[..., Service]:
    """Start services that use the server of this test."""

    def begin(*words: str) -> Service:
        make_compute()
        return launch(server.url, *words)

    return begin


def wait_for_workers(count: int) -> None:
    wait_until(lambda: Worker.objects.count() == count)


def ended(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def test_worker_executes_what_is_queued_and_says_good_bye(tmp_path, start):
    run = queue(tmp_path, HEAD + "run.log('accuracy', 0.5)", max_total_runs=1)
    worker = start(*WORKER)

    wait_for(run, "Completed", 40)

    name = Worker.objects.get().name
    assert ended(run).worker_name == name
    assert name.endswith(f"-{worker.pid}")
    assert worker.stop() == 0
    assert not Worker.objects.exists()
    assert "Traceback" not in worker.log.read_text()


def test_unknown_compute_target_is_named(tmp_path, start):
    worker = start("-m", "django", "studio_worker", "--compute", "nowhere")

    assert worker.popen.wait(40) == 1
    assert 'There is no compute target "nowhere"; there is local.' in worker.log.read_text()


def test_number_of_slots_is_checked(tmp_path, start):
    worker = start(*WORKER, "--slots", "0")

    assert worker.popen.wait(40) == 1
    assert "--slots is 0; use a number from 1 to 256." in worker.log.read_text()


def test_stopped_worker_lets_the_script_save_and_hands_the_run_over(tmp_path, start):
    script = HEAD + (
        "import signal, sys, time\n"
        "def save(*_):\n    time.sleep(0.5); open('outputs/saved', 'w').write('1'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\n"
        "while True:\n    run.log('accuracy', 1); time.sleep(0.05)\n"
    )
    run = queue(tmp_path, script)
    worker = start(*WORKER)
    wait_until(lambda: ended(run).reports > 3, 40)

    assert worker.stop() == 0

    lost = ended(run)
    assert (lost.state, lost.end_reason) == ("Failed", "worker_lost")
    assert (Path(lost.directory) / "outputs/saved").exists()
    assert Run.objects.get(retry_of=run).state == "Queued"
    assert processes_of(run) == []


@pytest.mark.parametrize("victim", ["horse", "worker"])
def test_killed_worker_leaves_no_process_and_its_run_is_repeated(tmp_path, start, victim):
    run = queue(tmp_path, ENDLESS)
    worker, watchdog = start(*WORKER), start(*WATCHDOG)
    wait_until(lambda: ended(run).reports > 3, 40)

    os.kill(worker.pid if victim == "worker" else ended(run).executor_pid, signal.SIGKILL)

    wait_until(lambda: ended(run).state == "Failed", 40)
    assert ended(run).end_reason == "worker_lost"
    assert processes_of(run) == []
    retry = Run.objects.get(retry_of=run)
    if victim == "horse":  # the worker itself lives and takes the repetition
        wait_until(lambda: ended(retry).reports > 3, 40)
        assert worker.stop() == 0
    lines = (Path(ended(run).directory) / "metrics.jsonl").read_bytes().count(b"\n")
    assert ended(run).reports == lines
    assert watchdog.stop() == 0


def test_run_goes_on_when_redis_dies_and_comes_back(tmp_path, start, server):
    script = HEAD + (
        "import os, time\n"
        "while not os.path.exists('stop'):\n    run.log('accuracy', 1); time.sleep(0.05)\n"
    )
    run = queue(tmp_path, script, max_total_runs=1)
    worker = start(*WORKER)
    wait_until(lambda: ended(run).reports > 3, 40)

    server.stop(signal.SIGKILL)
    worker.wait_for_log("no sign of life in Redis", 30)  # the heartbeat of the worker failed
    before = ended(run).reports
    wait_until(lambda: ended(run).reports > before + 3, 30)
    server.start()
    (Path(ended(run).directory) / "code" / "stop").touch()

    wait_for(run, "Completed", 40)
    assert ended(run).fence == 1
    assert not Run.objects.filter(retry_of=run).exists()


def test_database_that_is_away_ends_no_worker(server, caplog):
    target = make_compute()
    client = redis.Redis.from_url(server.url)
    worker = SlotWorker([get_queue(target.queue_name)], name="w", connection=client)

    def fail(execute, sql, params, many, context):
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(fail), caplog.at_level("WARNING"):
        worker.heartbeat()

    assert "no sign of life in the database: the server closed the connection" in caplog.text
    assert client.hget(worker.key, "last_heartbeat")
    client.close()


def test_worker_and_watchdog_wait_for_a_server_that_is_away_when_they_start(
    tmp_path, start, server
):
    run = queue(tmp_path, HEAD + "run.log('accuracy', 0.5)", max_total_runs=1)
    server.stop()

    services = [start(*WORKER), start(*WATCHDOG)]
    for service in services:
        service.wait_for_log("The Redis-protocol server does not answer", 40)
    server.start()

    wait_for(run, "Completed", 60)
    assert [service.popen.poll() for service in services] == [None, None]


def test_slots_are_started_again_and_stopped_together(tmp_path, start):
    parent = start(*WORKER, "--slots", "2")
    wait_for_workers(2)
    first, second = Worker.objects.order_by("pid")

    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: Worker.objects.exclude(pid__in=[first.pid, second.pid]).exists(), 40)

    assert parent.stop() == 0, parent.log.read_text()
    assert not psutil.pid_exists(second.pid)
    assert set(Worker.objects.values_list("pid", flat=True)) <= {first.pid}


def test_worker_stopped_in_the_middle_of_a_query_ends_in_order(tmp_path, start):
    begin = (
        "import django; django.setup(); from django.db import connection\n"
        "from experiments.models import ComputeTarget; from runner.management.commands import "
        "studio_worker\n"
        "def ask(*_, **__):\n"
        "    with connection.cursor() as cursor:\n"
        "        print('asks', flush=True)\n"
        "        cursor.execute('SELECT pg_sleep(60)')\n"
        "studio_worker.register_worker = ask\n"
        "studio_worker.work(ComputeTarget.objects.get())\n"
    )
    if connection.vendor == "sqlite":  # a query there is over before Python sees a signal
        begin = begin.replace(
            "cursor.execute('SELECT pg_sleep(60)')", "__import__('time').sleep(60)"
        )
    worker = start("-c", begin)
    worker.wait_for_log("asks", 40)

    assert worker.stop() == 0
    assert "Traceback" not in worker.log.read_text()


def test_slots_die_with_a_killed_parent(tmp_path, start):
    parent = start(*WORKER, "--slots", "2")
    wait_for_workers(2)
    pids = list(Worker.objects.values_list("pid", flat=True))

    parent.stop(signal.SIGKILL)

    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_watchdog_executes_the_jobs_of_the_controller(tmp_path, start, server):
    watchdog = start(*WATCHDOG)
    wait_until(lambda: redis_workers(server) == 1, 40)
    sweep = make_sweep(is_running=False)

    enqueue_advance(sweep.pk)

    wait_until(lambda: Run.objects.filter(sweep=sweep).count() == 2, 10)
    assert Sweep.objects.get(pk=sweep.pk).state == "Running"
    wait_until(lambda: get_queue("control").job_ids == [])
    assert watchdog.stop() == 0


def redis_workers(server: Valkey) -> int:
    """Return how many workers RQ knows."""
    client = redis.Redis.from_url(server.url)
    try:
        return client.scard("rq:workers")
    finally:
        client.close()


def test_watchdog_that_is_stopped_in_a_tick_ends_after_it(tmp_path, start):
    code = (
        "import django, time; django.setup()\n"
        "from django.core.management import call_command\n"
        "from runner import watchdog\n"
        "def tick():\n"
        "    print('tick', flush=True)\n"
        "    try: time.sleep(2)\n"
        "    except BaseException as error: print('broken', repr(error), flush=True); raise\n"
        "    print('tock', flush=True)\n"
        "watchdog.tick = tick\n"
        "call_command('studio_watchdog')\n"
    )
    watchdog = start("-c", code)
    watchdog.wait_for_log("tick", 40)

    assert watchdog.stop() == 0

    said = watchdog.log.read_text()
    assert said.count("tick") == said.count("tock") == 1
    assert "broken" not in said


def test_environment_of_a_run_under_a_worker_has_no_secrets(tmp_path, start):
    script = HEAD + (
        "import json, os\nrun.log('accuracy', 1)\nprint(json.dumps(dict(os.environ)))\n"
    )
    run = queue(tmp_path, script, max_total_runs=1)
    start(*WORKER)
    wait_for(run, "Completed", 40)

    env = json.loads((Path(ended(run).directory) / "logs/std_log.txt").read_text())
    names = {
        name for name in env if name.startswith(("STUDIO_", "DJANGO_", "RQ_", "REDIS", "DATA"))
    }
    assert names == {"STUDIO_RUN_ID", "STUDIO_METRICS_FILE", "STUDIO_RUN_TOKEN", "STUDIO_URL"}
