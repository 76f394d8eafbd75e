"""How long the controller waits for a suggestion; started by `tests.bench_sweeps --served`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

import django

django.setup()

from django.db import transaction
from django.utils import timezone

from experiments.models import Run, Sweep
from experiments.services import kept_suggestions
from experiments.services.look_ahead import look_ahead
from experiments.services.runs import RunOutcome, finish_run, start_run
from experiments.services.sampling import make_sampler, propose_runs, suggest
from experiments.services.sweep_history import look_at
from experiments.spec import SweepSpec
from tests.factories import claim, make_sweep, report

CASES = ((50, 4), (100, 8), (300, 8), (990, 8), (900, 100))
SPACE = {
    **{f"x{n}": "uniform(0.0, 1.0)" for n in range(4)},
    "layers": "choice(1, 2, 3)",
    "kind": "choice('a', 'b', 'c')",
}


def main() -> None:
    """Print one row for each number of runs and of concurrent runs."""
    print("| runs | at once | from the queue | end of a run, in all | sampler | sampler, first |")
    print("|---|---|---|---|---|---|")
    for count, at_once in CASES:
        sweep = filled_sweep(count, at_once)
        ask = partial(propose_runs, sweep, 1)
        first, itself = milliseconds(ask, 1), milliseconds(ask, 5)
        keep_next(sweep)
        served = milliseconds(ask, 20)
        ended = end_one(sweep)
        texts = [f"{value:.1f} ms" for value in (served, ended, itself, first)]
        print(f"| {count} | {at_once} | " + " | ".join(texts) + " |", flush=True)


# All of it at once: a controller that looked in between would create runs of its own.
@transaction.atomic
def filled_sweep(count: int, at_once: int) -> Sweep:
    """Make a running sweep whose last `at_once` of `count` runs are still queued."""
    sweep = make_sweep(
        sampling={"type": "bayesian", "seed": 1},
        search_space=SPACE,
        max_total_runs=1000,
        max_concurrent_runs=at_once,
    )
    rng, now = random.Random(count), timezone.now()
    rows = []
    for number in range(count):
        params = {f"x{n}": rng.random() for n in range(4)}
        value = 1 - sum((x - 0.5) ** 2 for x in params.values()) + rng.gauss(0, 0.01)
        is_done = number < count - at_once
        rows.append(
            Run(
                public_id=f"{sweep.public_id}_{number}",
                sweep=sweep,
                number=number,
                params={**params, "layers": rng.choice([1, 2, 3]), "kind": rng.choice("abc")},
                state="Completed" if is_done else "Queued",
                end_reason="finished" if is_done else "",
                ended_at=now if is_done else None,
                best_value=value if is_done else None,
                reports=int(is_done),
            )
        )
    Run.objects.bulk_create(rows)
    Sweep.objects.filter(pk=sweep.pk).update(sampled=count, next_number=count)
    return Sweep.objects.select_related("compute").get(pk=sweep.pk)


def keep_next(sweep: Sweep) -> None:
    """Put the next suggestion into the queue."""
    seen = look_at(sweep)
    sampler = make_sampler(sweep, SweepSpec.from_stored(sweep.spec))
    kept_suggestions.keep(sweep.pk, seen, 1, suggest(sweep, sampler, seen, 1))


def end_one(sweep: Sweep) -> float:
    """Let a run end as in real life, looked ahead for; return how long its end takes."""
    run = sweep.runs.filter(state="Queued").earliest("number")
    claimed = claim(run)
    start_run(run.pk, claimed.fence, arguments=["x"], directory="")
    report(run, [0.7])
    look_ahead(sweep.pk)
    return milliseconds(partial(finish_run, run.pk, claimed.fence, RunOutcome(exit_code=0)), 1)


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Return the shortest duration: others use this machine as well."""
    durations = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        durations.append((time.perf_counter() - begun) * 1000)
    return min(durations)


if __name__ == "__main__":
    main()
