"""The watchdog settles what died, and never what is only slow."""

from __future__ import annotations

import signal
import socket
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.utils import timezone
from rq import Worker as RqWorker
from rq.serializers import JSONSerializer

from experiments.models import Artifact, Run, Sweep, Worker
from experiments.queries import series_of
from experiments.services.compute import register_worker
from experiments.services.dispatch import get_queue
from experiments.services.runs import claim_run, renew_lease
from experiments.services.storage import run_directory
from experiments.services.transitions import move_run
from experiments.states import EndReason, RunState
from runner import watchdog
from runner.process import this_process
from studio.sdk.run import format_report
from tests.factories import claim, make_compute, make_run, make_running_run, make_sweep
from tests.runner.attempts import HEAD, queue, wait_for
from tests.runner.processes import processes_of, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh(valkey_url):
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    client.close()
    watchdog._silent.clear()


def silent_run(ago: float) -> Run:
    """Return a running run of another machine whose lease ended `ago` seconds ago."""
    run = make_running_run(make_sweep(max_total_runs=1))
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=ago))
    return run


def state_of(run: Run) -> tuple[str, str]:
    run = Run.objects.get(pk=run.pk)
    return run.state, run.end_reason


def test_run_whose_executor_was_killed_is_buried_with_all_it_left(tmp_path, valkey_url, launch):
    script = HEAD + (
        "import os, time\nrun.log('accuracy', 1)\nopen('outputs/model', 'w').write('w')\n"
        "if os.fork() == 0: os.setsid()\n"
        "while True:\n    run.log('accuracy', 2); time.sleep(0.01)\n"
    )
    run = queue(tmp_path, script)
    code = (
        "import django, sys; django.setup()\n"
        "from runner.executor import execute\nexecute(int(sys.argv[1]), worker_name='doomed')"
    )
    service = launch(valkey_url, "-c", code, str(run.pk))
    wait_for(run, "Running", 30)
    wait_until(lambda: Run.objects.get(pk=run.pk).reports > 10)
    journal = Path(Run.objects.get(pk=run.pk).directory) / "metrics.jsonl"

    service.stop(signal.SIGKILL)
    watchdog.tick()

    lost = Run.objects.get(pk=run.pk)
    assert (lost.state, lost.end_reason) == ("Failed", "worker_lost")
    assert lost.reason == f"Its worker process on {socket.gethostname()} died."
    assert processes_of(run) == []
    retry = Run.objects.get(retry_of=run)
    assert (retry.state, retry.params) == ("Queued", run.params)
    lines = journal.read_bytes().count(b"\n")
    assert (lost.reports, len(series_of(lost, "accuracy").values)) == (lines, lines)
    assert Artifact.objects.filter(run=run, path="outputs/model").exists()
    assert not (Path(lost.directory) / "code").exists()


def test_reports_of_a_run_whose_executor_died_while_it_started_are_kept(tmp_path):
    run = queue(tmp_path, "")
    me = this_process()
    claim_run(run.pk, worker_name="w", host=me.host, pid=2**22, process_started=me.started)
    directory = run_directory(run.sweep.public_id, run.number, 1)
    directory.mkdir(parents=True)
    lines = [format_report("accuracy", n, step=None, time=0.0) for n in range(3)]
    (directory / "metrics.jsonl").write_text("".join(lines))

    watchdog.tick()

    assert state_of(run) == ("Failed", "worker_lost")
    assert list(series_of(run, "accuracy").values) == [0, 1, 2]


def test_run_of_a_living_executor_stays(settings):
    me = this_process()
    run = make_running_run(make_sweep())
    Run.objects.filter(pk=run.pk).update(
        host=me.host, executor_pid=me.pid, executor_started=me.started
    )

    watchdog.tick()

    assert state_of(run) == ("Running", "")


def test_run_of_another_boot_is_left_to_its_lease():
    me = this_process()
    run = make_running_run(make_sweep())
    Run.objects.filter(pk=run.pk).update(
        host=me.host, executor_pid=2**22 + 7, executor_started=12345.0
    )

    watchdog.tick()

    assert state_of(run) == ("Running", "")


def test_silent_run_is_marked_first_and_given_up_when_it_stays_silent(settings):
    settings.STUDIO_LEASE_GRACE_SECONDS = 0.2
    run = silent_run(1)

    watchdog.tick()
    assert state_of(run) == ("NotResponding", "")

    wait_until(lambda: watchdog.tick() or state_of(run)[0] == "Failed", 10)
    assert state_of(run) == ("Failed", "worker_lost")
    assert Run.objects.get(retry_of=run).state == "Queued"


def test_machine_that_slept_for_hours_loses_no_run():
    run = silent_run(3 * 3600)

    for _ in range(3):
        watchdog.tick()

    assert state_of(run) == ("NotResponding", "")
    assert not renew_lease(run.pk, 1).lost
    assert state_of(run) == ("Running", "")


def test_patience_begins_anew_with_every_sign_of_life(settings):
    settings.STUDIO_LEASE_GRACE_SECONDS = 0.5
    run = silent_run(1)
    watchdog.tick()
    first = watchdog._silent[run.pk]
    renew_lease(run.pk, 1)
    watchdog.tick()
    assert run.pk not in watchdog._silent

    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    watchdog.tick()

    assert state_of(run) == ("NotResponding", "")
    assert watchdog._silent[run.pk][1] > first[1]


def test_silent_run_that_was_asked_to_stop_is_canceled_in_the_end(settings):
    settings.STUDIO_LEASE_GRACE_SECONDS = 0
    run = silent_run(1)
    move_run(run.pk, RunState.CANCEL_REQUESTED, end_reason=EndReason.USER, reason="Enough.")
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    watchdog.tick()

    assert state_of(run) == ("Canceled", "user")


def test_lost_job_is_queued_again(valkey_url):
    run = make_run(make_sweep(max_total_runs=1))
    jobs = get_queue(run.sweep.compute.queue_name)
    jobs.empty()

    watchdog.tick()
    watchdog.tick()

    assert [job.args for job in jobs.jobs] == [[run.sweep.compute_id]]


def test_job_that_waits_is_not_queued_twice():
    run = make_run(make_sweep(max_total_runs=1))
    jobs = get_queue(run.sweep.compute.queue_name)
    asked = jobs.job_ids

    watchdog.tick()

    assert (jobs.job_ids, len(asked)) == (asked, 1)


def test_sweep_that_nobody_advanced_is_advanced():
    sweep = make_sweep(is_running=False)

    watchdog.tick()

    assert Sweep.objects.get(pk=sweep.pk).state == "Running"
    assert Run.objects.filter(sweep=sweep).count() == 2


def test_sweep_over_its_time_is_ended():
    sweep = make_sweep()
    Sweep.objects.filter(pk=sweep.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))

    watchdog.tick()

    sweep = Sweep.objects.get(pk=sweep.pk)
    assert (sweep.state, sweep.end_reason) == ("Canceled", "timeout")


def test_dead_workers_are_forgotten_and_living_ones_are_not():
    me, compute = this_process(), make_compute()
    for name, pid, started in (("alive", me.pid, me.started), ("dead", me.pid, me.started - 1)):
        register_worker(compute, name=name, host=me.host, pid=pid, process_started=started)
    register_worker(compute, name="far", host="elsewhere", pid=1, process_started=1.0)

    watchdog.tick()

    assert set(Worker.objects.values_list("name", flat=True)) == {"alive", "far"}


def test_reconcile_takes_dead_workers_out_of_the_list_of_rq(valkey_url):
    client = redis.Redis.from_url(valkey_url)
    queues = [get_queue(make_compute().queue_name)]
    known = {}
    for name in ("dead", "alive"):
        known[name] = RqWorker(queues, name=name, connection=client, serializer=JSONSerializer)
        known[name].register_birth()
    client.hset(known["dead"].key, "pid", 2**22 + 7)

    watchdog.reconcile()

    assert [worker.name for worker in RqWorker.all(connection=client)] == ["alive"]
    known["alive"].register_death()
    client.close()


def test_reconcile_clears_jobs_that_nobody_carries(valkey_url):
    run = make_run(make_sweep(max_total_runs=1))
    jobs = get_queue(run.sweep.compute.queue_name)
    (job,) = jobs.jobs
    claim(run)
    move_run(run.pk, RunState.FAILED, end_reason=EndReason.WORKER_LOST, reason="Gone.")
    carrier = RqWorker(
        [jobs], name="worker-1", connection=jobs.connection, serializer=JSONSerializer
    )
    carrier.prepare_execution(job)
    assert jobs.started_job_registry.get_job_ids(cleanup=False) == [job.id]

    watchdog.reconcile()

    assert jobs.started_job_registry.get_job_ids(cleanup=False) == []


def test_damaged_directory_keeps_no_run_from_being_buried(tmp_path):
    me = this_process()
    run = make_running_run(make_sweep(max_total_runs=1))
    (tmp_path / "metrics.jsonl").mkdir()
    Run.objects.filter(pk=run.pk).update(
        host=me.host, executor_pid=me.pid, executor_started=me.started - 1, directory=str(tmp_path)
    )

    watchdog.tick()

    assert state_of(run) == ("Failed", "worker_lost")
