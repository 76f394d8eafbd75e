"""`trial.report` of Optuna. Arguments: a folder, the address of a database or nothing.

Also obeys `store N`, seconds for so many reports, for what one writer stores.
"""

import sys
import time

from obey import need, obey, timed, version_of

optuna = need("optuna")
optuna.logging.set_verbosity(optuna.logging.ERROR)
address = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{sys.argv[1]}/optuna.db"
storage = optuna.storages.RDBStorage(address)
study = optuna.create_study(storage=storage, study_name="bench", load_if_exists=True)
trial = study.ask()
step = 0


def calls(count):
    """Report so often; microseconds of each."""
    global step
    step += count
    return timed(lambda n: trial.report(0.123456789, n), count, step)


def store(count):
    """Report so often; seconds in all."""
    begun = time.perf_counter()
    calls(count)
    return time.perf_counter() - begun


acts = {"calls": calls, "whole": store, "store": store, "prepare": lambda count: None}
obey(version_of("optuna"), acts)
