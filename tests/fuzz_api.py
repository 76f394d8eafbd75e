"""Lets Schemathesis try the whole REST API: `make fuzz`, `python -m tests.fuzz_api --cases 20000`.

It derives requests from the OpenAPI document, right and wrong ones, alone and in sequences, and
looks at every answer: no 5xx, and nothing that the document does not say. The studio is served as
always, with a database, files and Redis of its own. Ids and tokens are real: of a reader, a writer,
an administrator and the script of a run.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROLES = ("read", "write", "admin", "run")
_SETTINGS: dict[str, Any] = {
    "workers": 1,
    "continue-on-failure": True,
    "request-timeout": 60,
    "checks": {
        # What is right by its form may still be wrong: a script that is not there, a sweep that has
        # ended, a version that somebody changed.
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "412", "422", "429"]
        },
    },
    # A dry run answers 200 with what is wrong with a specification.
    "operations": [
        {
            "include-operation-id": "check_sweep",
            "checks": {"negative_data_rejection": {"enabled": False}},
        }
    ],
}


@dataclass
class Tally:
    """What came of it: cases by phase, answers by status, failures by operation and check."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Return how many requests were sent and looked at."""
        return sum(self.cases.values())

    def add(self, scenario: Any) -> None:
        """Count what one scenario recorded."""
        recorder = scenario.recorder
        self.cases[str(scenario.phase.value)] += len(recorder.interactions)
        for interaction in recorder.interactions.values():
            if interaction.response is not None:
                self.statuses[interaction.response.status_code] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    self._fail(recorder, case_id, check)

    def merge(self, other: Tally) -> None:
        """Add what came of another part."""
        self.cases += other.cases
        self.statuses += other.statuses
        self.counts += other.counts
        self.errors += other.errors
        self.failures = {**other.failures, **self.failures}

    def _fail(self, recorder: Any, case_id: str, check: Any) -> None:
        failure = check.failure_info.failure
        key = (recorder.cases[case_id].value.operation.label, type(failure).__name__)
        self.counts[key] += 1
        text = f"{failure.title}\n{failure.message}\n{check.failure_info.code_sample}"
        interaction = recorder.interactions.get(failure.case_id or case_id)
        if interaction is not None and interaction.response is not None:
            text += f"\n{interaction.response.status_code} {interaction.response.content[:600]!r}"
        self.failures.setdefault(key, text)


def fuzz(
    url: str,
    token: str,
    examples: int,
    *,
    seed: int,
    world: Any,
    tally: Tally,
    operations: Sequence[str] = (),
    **settings: Any,
) -> None:
    """Try every operation, or those, with one token; `world` knows ids and renews them."""
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    config = SchemathesisConfig.from_dict(
        {
            **_SETTINGS,
            **settings,
            "seed": seed,
            "base-url": url,
            "headers": {"Authorization": f"Bearer {token}"},
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
        }
    )
    with urllib.request.urlopen(f"{url}/api/v1/openapi.json", timeout=60) as answer:
        schema = schemathesis.openapi.from_dict(json.load(answer), config=config)
    if operations:
        schema = schema.include(operation_id=list(operations))

    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        world.change(case)

    schemathesis.serializer.alias("application/zip", "application/octet-stream")
    schemathesis.hook(before_call)
    try:
        _run(schema, world, tally)
    finally:
        schemathesis.hooks.unregister(before_call)


def _run(schema: Any, world: Any, tally: Tally) -> None:
    from schemathesis.engine import events, from_schema

    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            tally.add(event)
            world.renew()
        elif isinstance(event, events.NonFatalError):
            tally.errors.append(f"{event.label}: {event.value!r}"[:2000])
        elif isinstance(event, events.FatalError):
            raise event.exception


@contextmanager
def served() -> Iterator[str]:
    """Serve the studio of this process on loopback as `studio up` does; give its address."""
    import uvicorn

    from studio.asgi import application
    from tests.servers import free_port

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application, port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "The server did not start."
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def coin(case: Any, salt: str, sides: int) -> int:
    """Return a side of a coin that falls the same way for the same case."""
    text = f"{salt} {case.operation.label} {case.path_parameters} {case.query} {case.body}"
    return zlib.crc32(text.encode("utf-8", "replace")) % sides


def main() -> int:
    """Make a studio for each role, try its API, say what came; 1: not all was as documented."""
    options = _options()
    if options.tally:
        _try_one(options.role[0], options)
        return 0
    began, tally = time.monotonic(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        # Side by side, each with a studio of its own: what one cancels is none of the others'.
        files = {role: Path(folder) / f"{role}.pickle" for role in options.role}
        workers = [_start(role, file, options) for role, file in files.items()]
        codes = [worker.wait() for worker in workers]
        for role, file in files.items():
            if file.exists():
                tally.merge(pickle.loads(file.read_bytes()))
            else:
                tally.errors.append(f"{role}: nothing came of it")
    _print(tally, time.monotonic() - began, options)
    is_enough = tally.total >= options.cases
    if not is_enough:
        print(f"Fewer than {options.cases} cases: raise --examples.")
    return 1 if tally.failures or tally.errors or any(codes) or not is_enough else 0


def _start(role: str, file: Path, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    words = [f"--examples={options.examples}", f"--seed={options.seed}", f"--role={role}"]
    words += [f"--operation={operation}" for operation in options.operation]
    return subprocess.Popen([sys.executable, "-m", "tests.fuzz_api", *words, f"--tally={file}"])


def _try_one(role: str, options: argparse.Namespace) -> None:
    """Try the API with one token and leave what came of it in a file."""
    logging.disable(logging.CRITICAL)
    tally = Tally()
    with _studio() as home:
        from tests.fuzz_world import FuzzWorld

        world = FuzzWorld(home / "runs")
        with served() as url:
            seed = options.seed + ROLES.index(role)
            fuzz(
                url,
                world.tokens[role],
                options.examples,
                seed=seed,
                world=world,
                tally=tally,
                operations=options.operation,
            )
    print(f"{role}: {tally.total} cases", flush=True)
    Path(options.tally).write_bytes(pickle.dumps(tally))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="how many there must be")
    parser.add_argument("--examples", type=int, default=20, help="of an operation in a phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--role", action="append", choices=ROLES)
    parser.add_argument("--operation", action="append", default=[], help="only this one")
    parser.add_argument("--tally", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.role = options.role or list(ROLES)
    return options


def _print(tally: Tally, seconds: float, options: argparse.Namespace) -> None:
    for (operation, name), text in sorted(tally.failures.items()):
        print(f"\n--- {operation}: {name} ({tally.counts[operation, name]} times)\n{text}")
    for error in tally.errors:
        print(f"\n--- not tried in whole: {error}")
    statuses = ", ".join(f"{n} x {status}" for status, n in sorted(tally.statuses.items()))
    phases = ", ".join(f"{n} {phase}" for phase, n in tally.cases.items() if n)
    print(f"\n{tally.total} cases in {seconds:.0f} s with seed {options.seed}: {phases}")
    print(f"answers: {statuses}")
    print(f"{len(tally.failures)} kinds of failure, {len(tally.errors)} errors")


@contextmanager
def _studio() -> Iterator[Path]:
    """Set up a studio of its own in a folder that goes away; give the folder."""
    from tests.servers import Valkey

    for name in [name for name in os.environ if name.startswith(("STUDIO_", "REDIS_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="studio-fuzz-") as folder:
        home = Path(folder)
        os.environ["STUDIO_HOME"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "studio.settings"
        # Thousands of requests a minute are the point of it.
        os.environ["STUDIO_RATE_LIMIT"] = os.environ["STUDIO_RATE_LIMIT_STRANGERS"] = "0"
        server = Valkey(home)
        server.start()
        try:
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)

            yield home
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
