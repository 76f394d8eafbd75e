"""`wandb.Run.log` without a network. Arguments: a folder.

What it wrote can be read by nothing until it is sent to a server, so `whole` ends with the file.
"""

import os
import sys

from obey import need, obey_logging, version_of

os.environ.update(
    WANDB_MODE="offline",
    WANDB_SILENT="true",
    WANDB_CONSOLE="off",
    WANDB_ERROR_REPORTING="false",
    WANDB_DISABLE_GIT="true",
    WANDB_DIR=sys.argv[1],
    WANDB_CACHE_DIR=sys.argv[1],
    WANDB_CONFIG_DIR=sys.argv[1],
    WANDB_DATA_DIR=sys.argv[1],
)
wandb = need("wandb")


class Runs:
    """The run that is open; ending it is the only way to have all of it written."""

    def __init__(self):
        self.open = None

    def prepare(self):
        """Open a run unless there is one."""
        if self.open is None:
            settings = wandb.Settings(x_disable_stats=True, x_disable_meta=True)
            self.open = wandb.init(project="bench", settings=settings)

    def call(self, step):
        """Log one value."""
        self.open.log({"accuracy": 0.123456789})

    def flush(self):
        """End the run."""
        self.open.finish()
        self.open = None


runs = Runs()
obey_logging(version_of("wandb"), runs.call, runs.flush, prepare=runs.prepare)
