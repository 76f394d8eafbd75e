"""Trivial scripts by Syne Tune: local backend, two workers. Arguments: a folder, a script."""

import logging
import os
import sys
import time
from pathlib import Path

os.environ["SYNETUNE_FOLDER"] = sys.argv[1]

from obey import need, obey_tuning, version_of

need("syne_tune", "syne-tune")
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend import LocalBackend
from syne_tune.config_space import uniform
from syne_tune.optimizer.baselines import RandomSearch

# Its scheduler wants a report of every trial.
REPORT = """
import json, sys, time
print("[tune-metric]: " + json.dumps({"m": 0.0, "epoch": 1, "st_worker_timestamp": time.time(),
      "st_worker_time": 0.0, "st_worker_iter": 0, "st_worker_cost": 0.0}))
"""
PLACE = "sys.argv[sys.argv.index('--place') + 1]"


def run(count, place):
    """Carry out so many trials; seconds in all."""
    logging.disable(logging.INFO)
    entry = Path(sys.argv[1]) / "trial.py"
    entry.write_text(Path(sys.argv[2]).read_text().replace("sys.argv[1]", PLACE) + REPORT)
    begun = time.perf_counter()
    space = {"x": uniform(0, 1), "place": place}
    tuner = Tuner(
        trial_backend=LocalBackend(entry_point=str(entry)),
        scheduler=RandomSearch(space, metrics=["m"]),
        stop_criterion=StoppingCriterion(max_num_trials_finished=count),
        n_workers=2,
        sleep_time=0.05,
        print_update_interval=1e9,
        save_tuner=False,
    )
    tuner.run()
    return time.perf_counter() - begun


obey_tuning(version_of("syne-tune"), run)
