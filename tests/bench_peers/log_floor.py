"""The least that a report can cost: a line made by json.dumps, and one write(2) of it.

Arguments: a folder. Also obeys `bare N`: microseconds of write(2) alone.
"""

import json
import os
import sys
import time
from pathlib import Path

from obey import obey_logging, timed

file = os.open(Path(sys.argv[1]) / "floor", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
LINE = b'{"n":"accuracy","v":0.123456789,"t":1700000000.123456,"s":1.0}\n'


def call(step):
    """Write one report."""
    line = json.dumps({"n": "accuracy", "v": 0.123456789, "t": time.time(), "s": step})
    os.write(file, line.encode() + b"\n")


def bare(count):
    """Write one line again and again."""
    return timed(lambda step: os.write(file, LINE), count)


obey_logging("json.dumps and write(2)", call, lambda: None, more={"bare": bare})
