"""Sweeps in every state that a page must be fit for, made by the real services on a virtual clock.

What waits or runs is not among them: the watchdog of a studio finds that nobody runs it.

In the environment of a studio `python -m tests.state_world [NAME...]` makes them and prints their
ids as JSON.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django

LONG = "a-name-of-nearly-everything-that-somebody-could-think-of-joined-by-dashes-0123456789-and-on"
ARABIC = "مسح معدل التعلّم للشبكة العميقة"
HEBREW = "סריקת קצב הלמידה"
SPACE = {"learning_rate": "loguniform(-9, -1)", "layers": "choice(1, 2, 3, 4)"}
SPEC: dict[str, Any] = {
    "experiment": "states",
    "script": "train.py",
    "search_space": SPACE,
    "sampling": {"type": "random", "seed": 3},
    "primary_metric": {"name": "accuracy", "goal": "maximize"},
    "max_total_runs": 8,
    "max_concurrent_runs": 4,
    "max_duration_minutes": 600,
}
ACT_AT = 100.0
BANDIT = {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 2, "delay_evaluation": 2}
TRACEBACK = (
    "RuntimeError: CUDA out of memory: tried to allocate 2.00 GiB on /very/long/path/"
    + "without/any/space/in/it" * 8
)


def curve(params: Mapping[str, Any], number: int, *, reports: int = 12) -> list[float]:
    """Return values that rise, each run to a place of its own."""
    top = 0.55 + 0.4 * ((number * 0.6180339887) % 1)
    return [top * (1 - 0.7 ** (step + 1)) for step in range(reports)]


def simulate(
    spec: Mapping[str, Any],
    values: Callable[[Mapping[str, Any], int], list[float]] = curve,
    *,
    act: Callable[[Any], object] | None = None,
    **trace: Any,
) -> str:
    """Carry a sweep of SPEC with changes to its end; return its id.

    `act` is called with the sweep after ACT_AT seconds, as a person would do something then.
    """
    from experiments import clock, queries
    from experiments.models import Sweep
    from experiments.services.setup import ensure_defaults, first_administrator
    from experiments.services.snapshots import snapshot_directory
    from experiments.spec import SweepSpec
    from runner.compute.simulated import Trace
    from runner.simulation import Simulation, create_simulated

    ensure_defaults()
    owner = first_administrator()
    assert owner is not None
    workspace = queries.current_workspace(owner)
    assert workspace is not None
    parsed = SweepSpec.parse({**SPEC, **spec})
    with TemporaryDirectory() as folder:
        (Path(folder) / "train.py").write_text("# no script ran\n")
        snapshot = snapshot_directory(Path(folder), workspace=workspace)
    # No stamp lies in the future; what goes on has time left.
    past = parsed.max_duration_minutes * 60 if act is None else 10 * ACT_AT
    begin = clock.now() - timedelta(seconds=past)
    sweep = create_simulated(
        parsed, owner=owner, workspace=workspace, snapshot=snapshot, begin=begin
    )

    def script(params: Mapping[str, Any], number: int, attempt: int) -> Trace:
        del attempt
        pace = 20 + (number * 0.6180339887) % 1
        return Trace(values(params, number), seconds_per_report=pace, **trace)

    simulation = Simulation(sweep.pk, script, begin=begin, slots=100, reports_per_flush=2)
    if act is not None:
        simulation.at(ACT_AT, lambda: act(Sweep.objects.get(pk=sweep.pk)))
    simulation.run()
    return str(sweep.public_id)


def _paused() -> str:
    from experiments.services.sweeps import pause_sweep

    def pause(sweep: Any) -> None:
        pause_sweep(sweep, user=sweep.owner)

    return simulate({"name": "waits"}, act=pause)


def _canceled() -> str:
    from experiments.services.sweeps import cancel_sweep

    def cancel(sweep: Any) -> None:
        cancel_sweep(sweep, user=sweep.owner)

    return simulate({"name": "given up"}, act=cancel)


def _one() -> str:
    return simulate({"name": "one run", "max_total_runs": 1})


def _mute() -> str:
    return simulate({"name": "logs nothing"}, lambda params, number: [])


def _failed() -> str:
    spec = {"name": "everything fails"}
    return simulate(spec, lambda params, number: [0.1, 0.2], exit_code=1, error_line=TRACEBACK)


def _nan() -> str:
    def values(params: Mapping[str, Any], number: int) -> list[float]:
        odd = (math.nan, math.inf, -math.inf, 1e300, -1e-300)[number % 5]
        return [*curve(params, number)[:4], odd, odd] if number % 3 else [odd] * 3

    return simulate({"name": "NaN and infinities", "max_total_runs": 15}, values)


def _long() -> str:
    spec = {
        "name": (LONG * 3)[:255],
        "experiment": LONG[:60],
        "description": "A description of some length. " * 40,
        "tags": {"a-tag-with-a-long-name": LONG, **{f"tag-{n}": "" for n in range(20)}},
        "primary_metric": {"name": f"validation/{LONG}", "goal": "minimize"},
        "search_space": {
            **SPACE,
            LONG.replace("-", "_"): "uniform(-1e-12, 1e12)",
            "text": {"type": "choice", "values": ["x" * 400, "a long choice " * 20, "short"]},
            **{f"parameter_{n}": "quniform(0, 1000000, 0.001)" for n in range(12)},
        },
        "early_termination": BANDIT,
    }
    return simulate(spec, lambda params, number: [-v * 1e12 for v in curve(params, number)])


def _rtl() -> str:
    spec = {
        "name": f"{ARABIC} (v2.1)",
        "description": f"{HEBREW}: 3 × 4. Mixed with English, and a number: 0.5.",
        "tags": {HEBREW: ARABIC, "team": HEBREW},
        "primary_metric": {"name": "דיוק_אימות (val)", "goal": "maximize"},
        "search_space": {
            **SPACE,
            "מקטע": {"type": "choice", "values": [ARABIC, f"{HEBREW}-v2", "plain"]},
        },
    }
    failing = {"exit_code": 1, "error_line": f"ValueError: {ARABIC} (loss=3.5) <b>!"}
    mixed = simulate(spec)
    simulate({**spec, "name": f"{HEBREW} 2"}, lambda params, number: [], **failing)
    return mixed


def _thousand() -> str:
    spec = {
        "name": "a thousand runs",
        "max_total_runs": 1000,
        "max_concurrent_runs": 100,
        "search_space": {**SPACE, **{f"x{n}": "uniform(0, 1)" for n in range(9)}},
        "max_duration_minutes": 6000,
    }
    return simulate(spec)


STATES: dict[str, Callable[[], str]] = {
    "paused": _paused,
    "canceled": _canceled,
    "one": _one,
    "mute": _mute,
    "failed": _failed,
    "nan": _nan,
    "long": _long,
    "rtl": _rtl,
    "thousand": _thousand,
}
# Those that a test of pages can afford; a thousand runs take a while.
QUICK = tuple(name for name in STATES if name != "thousand")


def main(names: list[str]) -> None:
    """Make the sweeps and print their ids by name."""
    print(json.dumps({name: STATES[name]() for name in names or QUICK}))


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1:])
