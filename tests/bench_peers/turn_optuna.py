"""Trivial scripts by Optuna: two threads, each with one process at a time, SQLite.

Arguments: a folder, a script. Obeys `run N`; `file PATH` is where scripts write their times.
"""

import subprocess
import sys
import time

from obey import need, obey_tuning, version_of

optuna = need("optuna")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def run(count, place):
    """Carry out so many trials; seconds in all."""

    def objective(trial):
        trial.suggest_float("x", 0, 1)
        subprocess.run([sys.executable, sys.argv[2], place], check=True)
        return 0.0

    begun = time.perf_counter()
    address = f"sqlite:///{sys.argv[1]}/{time.time_ns()}.db"
    study = optuna.create_study(storage=address, sampler=optuna.samplers.RandomSampler())
    study.optimize(objective, n_trials=count, n_jobs=2)
    return time.perf_counter() - begun


obey_tuning(version_of("optuna"), run)
