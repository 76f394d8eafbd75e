"""Batches of 1000 metrics with `MlflowClient.log_batch`. Arguments: a folder, the server's address.

Obeys `store N`: seconds until the server has answered for all of them.
"""

import logging
import os
import sys
import time

from obey import need, obey, version_of

os.environ["MLFLOW_TRACKING_URI"] = sys.argv[2]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
logging.disable(logging.WARNING)
mlflow = need("mlflow")
BATCH = 1000
client = mlflow.MlflowClient()
run = client.create_run("0").info.run_id
step = 0


def store(count):
    """Log so many points of one metric."""
    global step
    now = int(time.time() * 1000)
    took = 0.0
    for _ in range(max(1, count // BATCH)):
        points = [
            mlflow.entities.Metric("accuracy", n / 7, now, step + n)
            for n in range(min(BATCH, count))
        ]
        step += BATCH
        begun = time.perf_counter()
        client.log_batch(run, metrics=points)
        took += time.perf_counter() - begun
    return took


obey(version_of("mlflow"), {"store": store, "prepare": lambda count: None})
