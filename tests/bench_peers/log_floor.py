"""The least that a report can cost: one write(2) of a line of JSON. Arguments: a folder."""

import os
import sys
from pathlib import Path

from obey import obey_logging

LINE = b'{"n":"accuracy","v":0.123456789,"t":1700000000.123456,"s":1.0}\n'
file = os.open(Path(sys.argv[1]) / "floor", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
obey_logging("write(2)", lambda step: os.write(file, LINE), lambda: None)
