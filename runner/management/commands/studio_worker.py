"""Attach this machine to a compute target: one process per slot."""

from __future__ import annotations

import os
import signal
import socket
import sys
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

import django_rq
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from redis.exceptions import RedisError
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from experiments import log_context, migrations
from experiments.models import ComputeTarget
from experiments.services.compute import register_worker, remove_worker
from experiments.services.dispatch import get_queue
from runner import jobs, storage
from runner.interpreter import InterpreterWatch
from runner.leftovers import settle_leftovers
from runner.process import this_process
from runner.servers import wait_for_servers
from runner.slots import Slots
from runner.worker import MAINTENANCE_SECONDS, MONITORING_SECONDS, WORKER_TTL, SlotWorker
from studio import env
from studio.request_threads import keep_connections
from studio.sdk.client import Connection, StudioClient, StudioError
from studio.version import VERSION


class Command(BaseCommand):
    """`studio_worker --compute NAME [--slots N]`."""

    help = "Execute the runs of a compute target on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--compute", default="local", help="Name of the compute target.")
        parser.add_argument("--slots", type=int, default=1, help="Runs at the same time.")
        parser.add_argument("--gpus", default="", help="One slot for each, for example 0,1.")
        parser.add_argument(
            "--drain", action="store_true", help="Told to stop, wait for the end of the run."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until told to stop."""
        slots = options["slots"]
        if not 1 <= slots <= 256:
            raise CommandError(f"--slots is {slots}; use a number from 1 to 256.")
        gpus = [gpu.strip() for gpu in options["gpus"].split(",") if gpu.strip()]
        wait_for_servers(self.stderr.write)
        _check_database()
        target = _find_target(options["compute"])
        _attach(target)
        if slots > 1 or len(gpus) > 1:
            slots = len(gpus) or slots
            self.stderr.write(f"{slots} slots of {target.name} on {socket.gethostname()}")
            connections.close_all()
            slot = partial(_work_as_slot, target, drains=options["drain"])
            sys.exit(Slots(slot, slots, gpus).run())
        work(target, gpus[0] if gpus else "", drains=options["drain"])


def work(target: ComputeTarget, gpu: str = "", *, drains: bool = False) -> None:
    """Be one slot of a target until told to stop; `gpu` is what its runs see of the machine's.

    `drains`: a run that goes on then is waited for, unless the request comes a second time.
    """
    me = this_process()
    if gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    name = f"{target.name}@{me.host}-{me.pid}"
    log_context.note(worker=name, compute=target.name)
    register = partial(
        register_worker,
        target,
        name=name,
        host=me.host,
        pid=me.pid,
        process_started=me.started,
        gpu=gpu,
        version=VERSION,
    )
    # RQ sets its own handlers when it begins to work; until then there is nothing to wait for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        register()
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
        worker.drains = drains
        worker.register = register
        worker.interpreter = InterpreterWatch(name)
        if connection.vendor == "sqlite":
            keep_connections()
        worker.work(logging_level="WARNING")
    except StopRequested:  # RQ raises it where the request came just before its loop
        return
    except RedisError as error:
        raise CommandError(f"Redis does not answer: {error}") from error
    finally:
        # The request to stop may have come in the middle of a query: that connection is of no use.
        connections.close_all()
        remove_worker(name)


def _work_as_slot(target: ComputeTarget, gpu: str, *, drains: bool) -> None:
    try:
        work(target, gpu, drains=drains)
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


def _check_database() -> None:
    """Refuse a database of another version: rows would be read and written wrongly."""
    known = {file.stem for file in Path(migrations.__path__[0]).glob("[0-9]*.py")}
    applied = MigrationRecorder(connection).applied_migrations()
    found = {name for app, name in applied if app == "experiments"}
    if missing := sorted(known - found):
        raise CommandError(
            f"The database lacks {missing[0]} and is older than this machine's studio {VERSION}. "
            "Start the studio of that version first (`studio up` migrates), then this worker."
        )
    if unknown := sorted(found - known):
        raise CommandError(
            f"The database has {unknown[-1]} and is newer than this machine's studio {VERSION}. "
            "Install the version of the studio here, then start this worker again."
        )


def _attach(target: ComputeTarget) -> None:
    """Agree with the studio on how files are exchanged, where this machine has a compute token."""
    token = env.text("STUDIO_COMPUTE_TOKEN")
    if not token:
        return
    url = env.text("STUDIO_URL").rstrip("/")
    if not url:
        raise CommandError("STUDIO_COMPUTE_TOKEN is set; set STUDIO_URL to the studio's address.")
    try:
        name = storage.attach(url, token)
        theirs = StudioClient(Connection(url, token)).get("attached").get("version", "unknown")
    except StudioError as error:
        raise CommandError(str(error)) from error
    if name != target.name:
        raise CommandError(
            f'The compute token is of the target "{name}", not of "{target.name}"; '
            f"use --compute {name}, or a token of {target.name}."
        )
    if theirs != VERSION:
        sys.stderr.write(
            f"This machine has Sweep Studio {VERSION}, the studio at {url} is {theirs}. "
            "Runs go on, but install the same version here soon.\n"
        )
    if storage.is_remote():
        settle_leftovers()


def _find_target(name: str) -> ComputeTarget:
    target = ComputeTarget.objects.filter(name=name).first()
    if target is None:
        known = ", ".join(ComputeTarget.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f'There is no compute target "{name}"; there is {known}.')
    return target


# Imported before the first fork, so that a work-horse starts in milliseconds.
PRELOADED = jobs
