"""Trivial trials by Ray Tune with two processors. Arguments: a folder, a script (not started).

Its trials are functions in processes that Ray starts; each writes the times that the script would.
"""

import os
import sys
import tempfile
import time

os.environ.update(
    RAY_USAGE_STATS_ENABLED="0",
    RAY_AIR_NEW_OUTPUT="0",
    TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1",
    RAY_DISABLE_IMPORT_WARNING="1",
)

from obey import need, obey_tuning, version_of

ray = need("ray")
tune = need("ray.tune", "ray[tune]")
# Paths of its sockets must be short.
home = tempfile.mkdtemp(prefix="r")
ray.init(
    num_cpus=2,
    include_dashboard=False,
    log_to_driver=False,
    _temp_dir=home,
    object_store_memory=100_000_000,
    configure_logging=False,
)


def trial(config):
    """Do nothing and note when."""
    begun = time.time()
    file = os.open(config["place"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, b"%f %f\n" % (begun, time.time()))


def run(count, place):
    """Carry out so many trials; seconds in all."""
    begun = time.perf_counter()
    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": 1}),
        param_space={"x": tune.uniform(0, 1), "place": place},
        tune_config=tune.TuneConfig(num_samples=count, max_concurrent_trials=2),
        run_config=tune.RunConfig(storage_path=sys.argv[1], verbose=0),
    )
    found = tuner.fit()
    if found.num_errors:
        raise SystemExit(f"Ray Tune: {found.errors[0]}")
    return time.perf_counter() - begun


try:
    obey_tuning(version_of("ray"), run)
finally:
    ray.shutdown()
