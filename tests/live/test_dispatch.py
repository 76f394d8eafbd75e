"""Jobs and hints through a real Redis: after the commit, as JSON, and harmless without it."""

from __future__ import annotations

import logging
import multiprocessing
import time

import pytest
import redis
from channels.layers import get_channel_layer
from django.db import transaction
from rq import Queue
from rq.serializers import JSONSerializer

from experiments.models import Run, Sweep
from experiments.services import broadcast
from experiments.services.advance import advance_sweep
from experiments.services.dispatch import enqueue_advance, get_queue
from experiments.services.runs import requeue_run
from experiments.services.transitions import move_run
from experiments.states import RunState
from tests.factories import make_run, make_sweep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queues(valkey_url):
    """Return a client of the server that jobs go to, emptied."""
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def no_redis(settings, monkeypatch, tmp_path):
    """Take Redis away."""
    address = f"unix://{tmp_path}/none.sock"
    settings.RQ_QUEUES = {"default": {"URL": address}}
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": address, "socket_timeout": None}]},
        }
    }
    monkeypatch.setattr(broadcast._state, "paused_until", 0.0)
    yield
    broadcast._state.paused_until = 0.0


def jobs(name: str) -> list[tuple]:
    """Return function, arguments and id of the jobs in a queue."""
    return [(job.func_name, job.args, job.id) for job in get_queue(name).jobs]


def test_a_submitted_sweep_and_its_runs_get_jobs(queues):
    sweep = make_sweep(is_running=False)

    assert jobs("control") == [("runner.jobs.advance", [sweep.pk], f"advance-{sweep.pk}-1")]
    advance_sweep(sweep.pk)

    asked = jobs(sweep.compute.queue_name)
    assert [job[:2] for job in asked] == [("runner.jobs.fill_slot", [sweep.compute_id])] * 2
    assert len({job[2] for job in asked}) == 2
    assert Run.objects.filter(sweep=sweep).count() == 2


def test_jobs_are_json_and_have_no_time_limit(queues):
    run = make_run(make_sweep())

    (job,) = Queue(run.sweep.compute.queue_name, connection=queues, serializer=JSONSerializer).jobs

    assert (job.timeout, job.result_ttl) == (-1, 0)
    stored = queues.hget(f"rq:job:{job.id}", "data")
    assert b"runner.jobs.fill_slot" in stored or stored[:1] == b"x"


def test_nothing_is_queued_before_the_commit_or_after_a_rollback(queues):
    sweep = make_sweep()
    queues.flushall()

    with transaction.atomic():
        make_run(sweep)
        enqueue_advance(sweep.pk)
        assert queues.keys() == []
        transaction.set_rollback(True)

    assert queues.keys() == []


def test_a_lost_job_is_queued_again_only_while_the_run_waits(queues):
    run = make_run(make_sweep())
    queues.flushall()

    assert requeue_run(run.pk)

    assert [job[1] for job in jobs(run.sweep.compute.queue_name)] == [[run.sweep.compute_id]]
    move_run(run.pk, RunState.STARTING)
    assert not requeue_run(run.pk)


def test_hints_reach_the_groups_that_the_consumers_join(valkey_url):
    layer = get_channel_layer()
    group = "sweep.7"
    client = redis.Redis.from_url(valkey_url)
    listener = client.pubsub()
    listener.subscribe(f"asgi__group__{group}")
    assert listener.get_message(timeout=5)["type"] == "subscribe"

    assert broadcast.publish([group], {"type": "sweep.changed", "sweep": 7})

    message = listener.get_message(timeout=5)
    assert layer.deserialize(message["data"]) == {"type": "sweep.changed", "sweep": 7}
    listener.close()
    client.close()


def publish_in_child() -> None:
    assert broadcast.publish(["sweep.8"], {"type": "sweep.changed", "sweep": 8})


def test_a_forked_process_publishes_over_a_connection_of_its_own(valkey_url):
    client = redis.Redis.from_url(valkey_url)
    listener = client.pubsub()
    listener.subscribe("asgi__group__sweep.8")
    listener.get_message(timeout=5)
    assert broadcast.publish(["sweep.8"], {"type": "sweep.changed", "sweep": 8})

    child = multiprocessing.get_context("fork").Process(target=publish_in_child)
    child.start()
    child.join(20)

    assert child.exitcode == 0
    assert broadcast.publish(["sweep.8"], {"type": "sweep.changed", "sweep": 8})
    kinds = [listener.get_message(timeout=5)["type"] for _ in range(3)]
    assert kinds == ["message"] * 3
    listener.close()
    client.close()


@pytest.mark.usefixtures("no_redis")
def test_without_redis_the_database_goes_on_and_a_warning_is_logged(caplog):
    with caplog.at_level(logging.WARNING):
        sweep = make_sweep(is_running=False)
        advance_sweep(sweep.pk)

    assert Sweep.objects.get(pk=sweep.pk).state == "Running"
    assert Run.objects.filter(sweep=sweep, state="Queued").count() == 2
    messages = [record.getMessage() for record in caplog.records]
    assert any(text.startswith("runner.jobs.fill_slot(") for text in messages)
    assert sum("live update of" in text for text in messages) == 1


@pytest.mark.usefixtures("no_redis")
def test_hints_pause_for_a_moment_when_redis_is_away():
    assert not broadcast.publish(["sweep.1"], {"type": "sweep.changed", "sweep": 1})

    assert broadcast._state.paused_until > time.monotonic()
