"""Control sweeps: execute the controller's jobs and look after what fell between."""

from __future__ import annotations

from typing import Any

import django_rq
from django.conf import settings
from django.core.management.base import BaseCommand
from rq.serializers import JSONSerializer

from experiments import log_context
from experiments.services.dispatch import CONTROL_QUEUE, get_queue
from experiments.storage.chosen import storage
from runner import jobs, watchdog
from runner.messenger import start_messenger
from runner.mover import start_mover
from runner.process import this_process
from runner.servers import wait_for_servers
from runner.worker import MAINTENANCE_SECONDS, WORKER_TTL, ControlWorker
from studio.request_threads import keep_connections


class Command(BaseCommand):
    """`studio_watchdog`."""

    help = "Advance sweeps and find lost runs; one per studio, more do no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until told to stop."""
        # It looks every second: to open a connection for each look takes ten times as long.
        keep_connections()
        wait_for_servers(self.stderr.write)
        me = this_process()
        name = f"{CONTROL_QUEUE}@{me.host}-{me.pid}"
        log_context.note(worker=name)
        worker = ControlWorker(
            [get_queue(CONTROL_QUEUE)],
            name=name,
            connection=django_rq.get_connection("default"),
            serializer=JSONSerializer,
            maintenance_interval=MAINTENANCE_SECONDS,
            worker_ttl=WORKER_TTL,
        )
        worker.tick = watchdog.tick
        worker.tick_seconds = settings.STUDIO_WATCHDOG_SECONDS
        worker.log_job_description = False
        watchdog.reconcile()
        if not storage().is_local:
            start_mover()
        start_messenger()
        worker.work(logging_level="WARNING")


# Imported now, so that the first sweep does not wait for it.
PRELOADED = jobs
