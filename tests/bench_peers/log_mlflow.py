"""`mlflow.log_metric` against a server. Arguments: a folder, its address, sync or async."""

import logging
import os
import sys

from obey import need, obey_logging, version_of

os.environ["MLFLOW_TRACKING_URI"] = sys.argv[2]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
logging.disable(logging.WARNING)
mlflow = need("mlflow")
is_sync = sys.argv[3] == "sync"
mlflow.start_run()
pending = []


def call(step):
    """Log one value."""
    told = mlflow.log_metric("accuracy", 0.123456789, step=step, synchronous=is_sync)
    if not is_sync:
        pending.append(told)


def flush():
    """Wait until the server has everything."""
    for one in pending:
        one.wait()
    pending.clear()


obey_logging(version_of("mlflow"), call, flush)
