"""A training script of the campaign: numbered reports, files in ./outputs, an orderly end."""

import argparse
import fcntl
import os
import signal
import sys
import time
from pathlib import Path

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float, required=True)
parser.add_argument("--seconds", type=float, required=True)
parser.add_argument("--pause", type=float, default=0.03)
parser.add_argument("--kilobytes", type=int, default=200)
parser.add_argument("--locks", type=Path, required=True)
options = parser.parse_args()

stops: list[bool] = []
signal.signal(signal.SIGTERM, lambda *_: stops.append(True))

# Two attempts at one configuration at the same time: the second one says so, and of whom.
me = os.environ["STUDIO_RUN_ID"]
lock = (options.locks / f"{me.rpartition('_')[0]}-{options.x!r}").open("a+")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    lock.seek(0)
    with (options.locks / "overlaps.txt").open("a") as overlaps:
        overlaps.write(f"{lock.read().split()[-1]} {me}\n")
lock.write(f"{me}\n")
lock.flush()

run = Run.get_context()
number = 0


def report() -> None:
    """Log two metrics under the next number."""
    global number
    number += 1
    run.log("score", options.x * (1 - 0.97**number), step=number)
    run.log("number", number, step=number)
    time.sleep(options.pause)


end = time.monotonic() + options.seconds
while time.monotonic() < end and not stops:
    report()
if stops:  # saves its work, and still reports
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        report()
for part in range(4):
    data = os.urandom(1024) * options.kilobytes
    Path("outputs", f"part-{part}.bin").write_bytes(data)
print("reported", number, flush=True)
sys.exit(0)
