"""Attach this machine to a compute target: one process per slot."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

import django_rq
from django.core.management.base import BaseCommand, CommandError
from rq.serializers import JSONSerializer

from experiments.models import ComputeTarget
from experiments.services.compute import register_worker, remove_worker
from experiments.services.dispatch import get_queue
from runner import jobs
from runner.process import this_process
from runner.worker import MAINTENANCE_SECONDS, MONITORING_SECONDS, WORKER_TTL, SlotWorker


class Command(BaseCommand):
    """`studio_worker --compute NAME [--slots N]`."""

    help = "Execute the runs of a compute target on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--compute", default="local", help="Name of the compute target.")
        parser.add_argument("--slots", type=int, default=1, help="Runs at the same time.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until told to stop."""
        slots = options["slots"]
        if not 1 <= slots <= 256:
            raise CommandError(f"--slots is {slots}; use a number from 1 to 256.")
        target = _find_target(options["compute"])
        if slots > 1:
            sys.exit(_run_slots(target.name, slots))
        work(target)


def work(target: ComputeTarget) -> None:
    """Be one slot of a target until told to stop."""
    me = this_process()
    name = f"{target.name}@{me.host}-{me.pid}"
    register_worker(target, name=name, host=me.host, pid=me.pid, process_started=me.started)
    worker = SlotWorker(
        [get_queue(target.queue_name)],
        name=name,
        connection=django_rq.get_connection("default"),
        serializer=JSONSerializer,
        job_monitoring_interval=MONITORING_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
        worker_ttl=WORKER_TTL,
    )
    worker.log_job_description = False
    try:
        worker.work(logging_level="WARNING")
    finally:
        remove_worker(name)


def _find_target(name: str) -> ComputeTarget:
    target = ComputeTarget.objects.filter(name=name).first()
    if target is None:
        known = ", ".join(ComputeTarget.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f'There is no compute target "{name}"; there is {known}.')
    return target


def _run_slots(name: str, slots: int) -> int:
    """Run one process per slot and pass signals on; a slot that dies ends all of them."""
    command = [sys.executable, "-m", "django", "studio_worker", "--compute", name]
    children = [subprocess.Popen(command, start_new_session=True) for _ in range(slots)]  # noqa: S603

    def forward(number: int, _: object) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    print(f"{slots} slots of {name} on {socket.gethostname()}", file=sys.stderr)  # noqa: T201
    codes = [child.wait() for child in children]
    return max(codes)


# Imported before the first fork, so that a work-horse starts in milliseconds.
PRELOADED = jobs
