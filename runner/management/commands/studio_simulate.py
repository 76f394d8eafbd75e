"""Put a simulated sweep into the studio's database: no script runs, hours take seconds."""

from __future__ import annotations

import logging
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from experiments import clock, queries
from experiments.learning_curves import FAMILIES
from experiments.models import Run, Sweep
from experiments.policies import POLICIES
from experiments.problems import ProblemsError
from experiments.services.setup import ensure_defaults, first_administrator
from experiments.services.snapshots import snapshot_directory
from experiments.spec import MAX_CONCURRENT, SweepSpec
from runner.compute.simulated import Faults, Script, with_faults
from runner.simulated_scripts import (
    METRIC,
    SPACE,
    NotRecordedError,
    generated_script,
    recorded_script,
)
from runner.simulation import Simulation, create_simulated

_WEEK_MINUTES: Final = 7 * 24 * 60
_SECONDS_PER_REPORT: Final = 30.0
_TRAIN: Final = '"""No script ran: the curves of this sweep were made by studio_simulate."""\n'
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "bandit": {"slack_factor": 0.1},
    "truncation_selection": {"truncation_percentage": 20},
}


class Command(BaseCommand):
    """`studio_simulate [--runs N] [--reports N] [--like SWEEP] ...`."""

    help = (
        "Load a sweep of simulated runs, tagged `simulated`, through the real controller and "
        "policies on a virtual clock that ends now at the latest."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--runs", type=int, default=100, help="Runs in all.")
        parser.add_argument("--reports", type=int, default=50, help="Reports of each run.")
        parser.add_argument("--concurrency", type=int, default=20, help="Runs at once.")
        parser.add_argument("--sampling", default="random", help="Name of the sampling.")
        parser.add_argument(
            "--policy", default="none", choices=sorted(POLICIES), help="Early termination."
        )
        parser.add_argument(
            "--family", default="power_law", choices=sorted(FAMILIES), help="Kind of the curves."
        )
        parser.add_argument("--fail", type=float, default=0.0, help="Share of runs that fail.")
        parser.add_argument("--seed", type=int, default=0, help="Of sampling, curves and faults.")
        parser.add_argument(
            "--flush", type=int, help="Reports stored and judged at once; a tenth of all."
        )
        parser.add_argument("--name", default="simulated sweep", help="Name of the sweep.")
        parser.add_argument(
            "--like", help="Id of a sweep whose recorded curves are replayed, under --policy."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Simulate one sweep and say what came of it."""
        _check(options)
        ensure_defaults()
        owner = first_administrator()
        if owner is None:
            raise CommandError("There is no active administrator to own the sweep.")
        begun = time.perf_counter()
        try:
            with _without_hint_warnings():
                sweep = _simulate(owner, options)
        except (ProblemsError, NotRecordedError) as error:
            raise CommandError(str(error)) from error
        seconds = time.perf_counter() - begun
        reports = sum(Run.objects.filter(sweep=sweep).values_list("reports", flat=True))
        self.stdout.write(
            f"{sweep.public_id} {sweep.state}: {sweep.reason}\n"
            f"{sweep.runs.count()} runs with {reports} reports in {seconds:.1f} s."
        )


@contextmanager
def _without_hint_warnings() -> Iterator[None]:
    """Nobody watches the sweep yet: hints may be lost, and the studio need not even run."""
    logger = logging.getLogger("experiments.services.broadcast")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _check(options: dict[str, Any]) -> None:
    for name, most in (("runs", 10_000), ("reports", 100_000), ("concurrency", MAX_CONCURRENT)):
        if not 1 <= options[name] <= most:
            raise CommandError(f"--{name} is {options[name]}; use a number from 1 to {most}.")
    if not 0 <= options["fail"] <= 1:
        raise CommandError(f"--fail is {options['fail']}; use a share from 0 to 1.")
    if options["flush"] is not None and options["flush"] < 1:
        raise CommandError(f"--flush is {options['flush']}; use 1 or more.")


def _simulate(owner: User, options: dict[str, Any]) -> Sweep:
    spec, script, flush = _recorded(owner, options) if options["like"] else _generated(options)
    workspace = queries.current_workspace(owner)
    if workspace is None:
        raise CommandError("There is no workspace for the sweep.")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "train.py").write_text(_TRAIN)
        snapshot = snapshot_directory(Path(folder), workspace=workspace)
    # No stamp lies in the future, however long it takes by its own clock.
    begin = clock.now() - timedelta(minutes=spec.max_duration_minutes)
    sweep = create_simulated(spec, owner=owner, workspace=workspace, snapshot=snapshot, begin=begin)
    slots = sweep.max_concurrent_runs
    try:
        Simulation(sweep.pk, script, begin=begin, slots=slots, reports_per_flush=flush).run()
    except BaseException:
        sweep.delete()  # nobody would ever carry on half of a simulation
        raise
    return Sweep.objects.get(pk=sweep.pk)


def _generated(options: dict[str, Any]) -> tuple[SweepSpec, Script, int]:
    reports, seed = options["reports"], options["seed"]
    flush = options["flush"] or max(1, reports // 10)
    waves = -(-options["runs"] // options["concurrency"])
    # Three quarters of the week at most: slow runs, repetitions and waiting need time as well.
    pace = min(_SECONDS_PER_REPORT, 0.75 * _WEEK_MINUTES * 60 / (waves * reports * 1.25))
    script = generated_script(
        family=options["family"], reports=reports, seconds_per_report=pace, seed=seed
    )
    if options["fail"]:
        script = with_faults(script, Faults(seed=seed, crash=options["fail"]))
    sampling: dict[str, Any] = {"type": options["sampling"]}
    if options["sampling"] != "grid":
        sampling["seed"] = seed
    spec = SweepSpec.parse(
        {
            "name": options["name"],
            "experiment": "simulated",
            "script": "train.py",
            "search_space": SPACE,
            "sampling": sampling,
            "primary_metric": {"name": METRIC, "goal": "maximize"},
            "early_termination": _policy(options["policy"], flush),
            "max_total_runs": options["runs"],
            "max_concurrent_runs": min(options["concurrency"], options["runs"]),
            "max_duration_minutes": _WEEK_MINUTES,
        }
    )
    return spec, script, flush


def _recorded(owner: User, options: dict[str, Any]) -> tuple[SweepSpec, Script, int]:
    try:
        source = queries.get_sweep(owner, options["like"])
    except Sweep.DoesNotExist as error:
        raise CommandError(f"There is no sweep {options['like']}.") from error
    flush = options["flush"] or 1
    stored = SweepSpec.from_stored(source.spec)
    sampling = {"type": stored.sampler_name, **stored.sampler_options}
    if stored.sampler_name != "grid":
        sampling["seed"] = source.seed  # the same configurations in the same order
    changed: dict[str, Any] = {
        "name": f"{source.name}, replayed",
        "sampling": sampling,
        "early_termination": _policy(options["policy"], flush),
        "max_total_runs": source.sampled,
        "resume_from": [],
        "resume_child_runs": [],
    }
    return stored.model_copy(update=changed), recorded_script(source), flush


def _policy(name: str, flush: int) -> dict[str, Any] | None:
    if name == "none":
        return None
    times = {"evaluation_interval": flush, "delay_evaluation": flush}
    return {"type": name, **_OPTIONS.get(name, {}), **times}
