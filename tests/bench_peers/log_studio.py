"""`run.log` of the studio's client, as a training script calls it. Arguments: a folder.

`whole` is the script's part only: that of the worker is measured by `tests.bench_own`.
"""

import os
import sys
from pathlib import Path

from obey import need, obey_logging

os.environ["STUDIO_RUN_ID"] = "bench_0"
os.environ["STUDIO_METRICS_FILE"] = str(Path(sys.argv[1]) / "metrics.jsonl")
run = need("studio.sdk").Run.get_context()
obey_logging("run.log", lambda step: run.log("accuracy", 0.123456789, step=step), run.flush)
