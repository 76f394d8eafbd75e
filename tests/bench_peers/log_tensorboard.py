"""`SummaryWriter.add_scalar` of tensorboardX. Arguments: a folder."""

import sys
from pathlib import Path

from obey import need, obey_logging, version_of

need("tensorboardX")
from tensorboardX import SummaryWriter

writer = SummaryWriter(str(Path(sys.argv[1]) / "events"))
obey_logging(
    version_of("tensorboardX"),
    lambda step: writer.add_scalar("accuracy", 0.123456789, step),
    writer.flush,
    close=writer.close,
)
